import { CorruptionError } from '../../base/errors.ts'
import { forEachTuple, Infomask, isLockOnly, tupleInfomask, tupleXmax, tupleXmin } from '../../catalog/heap-tuple.ts'
import { TransactionStatus } from '../../catalog/transaction-status.ts'
import { type ColumnBounds, visibleColumnBounds } from '../../columnar/column-bounds.ts'
import { ColumnarFile } from '../../columnar/columnar-file.ts'
import type { Disk } from '../../io/disk.ts'
import type { FixedValues } from '../../parquet/values.ts'
import { PAGE_SIZE } from '../../postgres/constants.ts'
import { clogPage, readClogStatus, XidStatus } from '../../postgres/slru.ts'
import { isNormalXid } from '../../postgres/xid.ts'
import { closeInputs, type LayerInput, openInputs } from './layer-input.ts'
import { LayerSnapshot } from './layer-snapshot.ts'
import { openLocalSource } from './local-source.ts'
import type { ImageSegment } from './segment-chain.ts'

export interface ListDeadRowsTask {
  /** The columnar layer's local file. */
  readonly path: string
  readonly inputs: readonly LayerInput[]
  /** Of the commit log and the multixacts at the LSN of the question. */
  readonly segments: readonly ImageSegment[]
}

export interface DeadRows {
  /** Row positions in the file, ascending, that are not visible. */
  readonly positions: Uint32Array
  /** False: a transaction in progress can still change the answer without touching a page. */
  readonly isSettled: boolean
  /** Visible tuples of pages whose rows are in no column. */
  readonly missingRows: number
  /** Of the columns of all rows, by physical name. */
  readonly bounds: Readonly<Record<string, ColumnBounds>>
}

/** Columns with bounds: as many as writers of Delta tables give them. */
const BOUNDS_COLUMNS_MAX = 32

/** Judges every row of a columnar layer against the commit log. */
export async function listDeadRows(disk: Disk, task: ListDeadRowsTask): Promise<DeadRows> {
  const inputs = openInputs(disk, task.inputs)
  const source = openLocalSource(disk, task.path)
  try {
    const judge = new RowJudge(new LayerSnapshot(inputs, task.segments))
    const file = await ColumnarFile.open(source)
    const { hiddenLeaf } = file.layout
    const positions: number[] = []
    let position = 0
    let missingRows = 0
    for (let index = 0; index < file.segments.length; index++) {
      const { rows } = file.segments[index]!
      const { firstBlock, bytes } = await file.readSegment(index)
      const pages = Array.from({ length: bytes.length / PAGE_SIZE }, (_, i) => {
        return bytes.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE)
      })
      const visible = await judge.visibleTuples(pages)
      let shown = 0
      if (rows) {
        const { rowGroup, firstRow, rowCount } = rows
        const leaves = [hiddenLeaf._pg_blk, hiddenLeaf._pg_off]
        const range = await file.parquet.readRows(rowGroup, firstRow, firstRow + rowCount, leaves)
        const [blocks, offsets] = range.columns.map((column) => column.values as FixedValues)
        const start = firstRow - range.firstRow
        for (let row = start; row < start + rowCount; row++, position++) {
          const page = (blocks!.int32(row) >>> 0) - firstBlock
          if (visible[page]?.has(offsets!.int32(row))) shown++
          else positions.push(position)
        }
      }
      missingRows += visible.reduce((sum, each) => sum + each.size, 0) - shown
    }
    const { metadata, leaves } = file.parquet
    const bounds = visibleColumnBounds(metadata, leaves, BOUNDS_COLUMNS_MAX)
    return { positions: Uint32Array.from(positions), isSettled: judge.isSettled, missingRows, bounds }
  } finally {
    await source.close()
    closeInputs(inputs)
  }
}

class RowJudge {
  readonly #snapshot: LayerSnapshot
  readonly #transactions: TransactionStatus
  readonly #clog = new Map<number, Uint8Array | undefined>()
  isSettled = true

  constructor(snapshot: LayerSnapshot) {
    this.#snapshot = snapshot
    this.#transactions = new TransactionStatus(snapshot)
  }

  /** Line pointer numbers of the visible tuples of each page. */
  async visibleTuples(pages: readonly Uint8Array[]): Promise<Set<number>[]> {
    await this.#transactions.load(pages)
    const xids = new Set<number>()
    const visible = pages.map((page) => {
      const offsets = new Set<number>()
      const isHeap = forEachTuple(page, (start, _end, offsetNumber) => {
        if (this.#transactions.isVisible(page, start)) offsets.add(offsetNumber)
        this.#noteXids(page, start, xids)
      })
      if (!isHeap) throw new CorruptionError('not a heap page')
      return offsets
    })
    if (this.isSettled) for (const xid of xids) if (await this.#isInProgress(xid)) this.isSettled = false
    return visible
  }

  #noteXids(page: Uint8Array, start: number, xids: Set<number>): void {
    if (!this.isSettled) return
    const infomask = tupleInfomask(page, start)
    if ((infomask & Infomask.xminFrozen) !== Infomask.xminFrozen) xids.add(tupleXmin(page, start))
    if ((infomask & Infomask.xmaxInvalid) !== 0 || isLockOnly(infomask)) return
    // Which member updated the row is not worth finding out here: it is looked at again next time.
    if ((infomask & Infomask.xmaxIsMulti) !== 0) this.isSettled = false
    else xids.add(tupleXmax(page, start))
  }

  async #isInProgress(xid: number): Promise<boolean> {
    if (!isNormalXid(xid)) return false
    const number = clogPage(xid)
    if (!this.#clog.has(number)) this.#clog.set(number, await this.#snapshot.slruPage('clog', number))
    const page = this.#clog.get(number)
    // Of a truncated commit log every transaction has ended.
    return page !== undefined && readClogStatus(page, xid) === XidStatus.inProgress
  }
}
