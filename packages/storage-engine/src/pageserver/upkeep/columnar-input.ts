import { ColumnarFile } from '../../columnar/columnar-file.ts'
import type { Disk } from '../../io/disk.ts'
import { PAGE_SIZE } from '../../postgres/constants.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { encodePageImage } from '../../redo/page-change.ts'
import type { ChainBuilder } from '../layer/chain-builder.ts'
import { blockOf, writeBlock } from '../layer/open-layer-index.ts'
import { compareKeys } from '../layer/packed-key.ts'
import { openLocalSource } from './local-source.ts'

/** A columnar layer as the input of a task: one segment of rebuilt pages (2 MiB) in memory at a time. */
export class ColumnarInput {
  readonly reader: { close(): Promise<void> }
  readonly #keyStart: Uint8Array
  readonly #source: ReturnType<typeof openLocalSource>
  #file: ColumnarFile | undefined
  #segment = -1
  #pages: Uint8Array = new Uint8Array(0)

  constructor(disk: Disk, options: { path: string; keyStart: Uint8Array }) {
    this.#keyStart = options.keyStart
    this.#source = openLocalSource(disk, options.path)
    this.reader = { close: () => this.#source.close() }
  }

  /** To be awaited before `visitKeys`. */
  async open(): Promise<ColumnarFile> {
    this.#file ??= await ColumnarFile.open(this.#source)
    return this.#file
  }

  /** To be awaited before `collect` of a key. */
  async prepare(key: Uint8Array): Promise<void> {
    const { description, segments } = await this.open()
    const segment = Math.floor(this.#position(key) / description.dataPagePages)
    if (segment === this.#segment || segment >= segments.length) return
    this.#segment = -1
    this.#pages = (await this.#file!.readSegment(segment)).bytes
    this.#segment = segment
  }

  /** Ends the chain of the key that was prepared last. */
  collect(key: Uint8Array, chain: ChainBuilder): void {
    const { description } = this.#file!
    const position = this.#position(key)
    if (position < description.blockCount) {
      const at = (position - this.#segment * description.dataPagePages) * PAGE_SIZE
      chain.add(Lsn.parse(description.lsn), encodePageImage(this.#pages.subarray(at, at + PAGE_SIZE)), true)
    }
    chain.isDone = true
  }

  /** As DeltaLayer.visitKeys: ascending, until `visit` returns false. The key is borrowed. */
  visitKeys(start: Uint8Array, end: Uint8Array, visit: (key: Uint8Array) => boolean): void {
    const key = this.#keyStart.slice()
    const firstBlock = blockOf(this.#keyStart, 0)
    for (let i = 0; i < this.#file!.description.blockCount; i++) {
      writeBlock(key, firstBlock + i)
      if (compareKeys(key, end) >= 0) return
      if (compareKeys(key, start) >= 0 && !visit(key)) return
    }
  }

  #position(key: Uint8Array): number {
    return blockOf(key, 0) - blockOf(this.#keyStart, 0)
  }
}
