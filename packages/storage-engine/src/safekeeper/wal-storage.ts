import { assert } from '../base/assert.ts'
import { CorruptionError } from '../base/errors.ts'
import type { Disk, DiskFile } from '../io/disk.ts'
import { WAL_SEGMENT_SIZE, WAL_TIMELINE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { formatSegmentName, segmentStart, walPageStart } from '../wal/segment.ts'
import { encodeWalPageHeader } from '../wal/wal-page-header.ts'
import type { WalStreamReader } from '../wal/wal-stream-reader.ts'
import { SegmentMaker } from './segment-maker.ts'
import {
  isZeroFrom,
  listSegments,
  newReader,
  rewriteWal,
  scanWal,
  type WalFolder,
  ZEROS,
  zeroTail,
} from './wal-scan.ts'

/**
 * The WAL of one timeline on local disk: ordinary 16 MiB segment files under their Postgres names.
 *
 *   |--- trimmed ---|--- local segments ---------------|
 *                   oldestLsn       syncedRecordLsn   recordLsn   writeLsn
 *
 * Bytes are written at `writeLsn` only. Every record that passes is parsed and its CRC checked, so the end of the last
 * whole record is always known and broken WAL is refused before a byte of it is written. Behind the end the segment is
 * zero, so that what is found on the next start can only be what was written there.
 */
export interface WalStorageOptions extends WalFolder {
  /** A cut to finish before anything is read. */
  readonly truncateLsn?: Lsn | undefined
  /**
   * After a failed sync: what lies behind this LSN may be in memory and not on disk, though it reads well and a later sync
   * succeeds. It is cut off, and what takes its place is written whatever is read there.
   */
  readonly trustedLsn?: Lsn | undefined
  /** What lies behind the end is written out, though it reads as zeros: a sync that failed may have left it in memory alone. */
  readonly rewritesTail?: boolean
  /** `zero-fill` writes a new segment out, so that later syncs carry no file metadata. */
  readonly allocation: 'zero-fill' | 'sparse'
}

const READ_FILES_MAX = 4

export class WalStorage {
  readonly #disk: Disk
  readonly #directory: string
  readonly #systemIdentifier: bigint
  readonly #startLsn: Lsn
  readonly #segments: SegmentMaker

  #reader: WalStreamReader
  #writeLsn: Lsn
  #recordLsn: Lsn
  #syncedRecordLsn: Lsn
  #oldestLsn: Lsn
  #current: { startLsn: Lsn; file: DiskFile } | undefined
  /** Segments left behind by the writer with bytes not yet synced. */
  #leftBehind: DiskFile[] = []
  #directoryIsDirty = false
  #readFiles = new Map<number, DiskFile>()
  #isClosed = false

  private constructor(options: WalStorageOptions, oldestLsn: Lsn, reader: WalStreamReader) {
    this.#disk = options.disk
    this.#directory = options.directory
    this.#systemIdentifier = options.systemIdentifier
    this.#startLsn = options.startLsn
    this.#segments = new SegmentMaker(options)
    this.#oldestLsn = oldestLsn
    this.#reader = reader
    this.#writeLsn = reader.endLsn
    this.#recordLsn = reader.endLsn
    this.#syncedRecordLsn = reader.endLsn
  }

  /** End of the bytes written. */
  get writeLsn(): Lsn {
    return this.#writeLsn
  }

  /** End of the last whole record written. */
  get recordLsn(): Lsn {
    return this.#recordLsn
  }

  get syncedRecordLsn(): Lsn {
    return this.#syncedRecordLsn
  }

  /** WAL below is not here any more (or never was). */
  get oldestLsn(): Lsn {
    return this.#oldestLsn
  }

  /** Opens the folder, finds the end of valid WAL and makes what lies behind it zero, durably. */
  static async open(options: WalStorageOptions): Promise<WalStorage> {
    const { disk, directory, startLsn } = options
    await disk.makeDirectory(directory)
    for (const name of await disk.list(directory)) {
      if (name.endsWith('.new')) await disk.remove(`${directory}/${name}`)
    }
    const segments = await listSegments(disk, directory)
    if (segments.length === 0) {
      if (options.flushFloorLsn > startLsn) {
        throw new CorruptionError('wal segments are missing', { directory, flushed: Lsn.format(options.flushFloorLsn) })
      }
      const storage = new WalStorage(options, startLsn, newReader(options.systemIdentifier, startLsn))
      await storage.#createFirstSegment()
      return storage
    }
    const oldest = segments[0]!
    const oldestLsn = Lsn.max2(oldest, startLsn)
    const scanned = await scanWal(options, segments)
    const storage = new WalStorage(options, oldestLsn, scanned)
    if (scanned.endLsn < Lsn.max2(options.flushFloorLsn, startLsn)) {
      throw new CorruptionError('wal ends before what was flushed', {
        directory,
        end: Lsn.format(scanned.endLsn),
        flushed: Lsn.format(options.flushFloorLsn),
      })
    }
    const end = Lsn.min(scanned.endLsn, Lsn.min(options.truncateLsn ?? Lsn.max, options.trustedLsn ?? Lsn.max))
    await rewriteWal(options, segments, Lsn.max2(options.flushFloorLsn, oldestLsn), end)
    // A process that was killed may have left names that only memory knows.
    await disk.syncDirectory(directory)
    await storage.truncate(end, { rewrite: options.trustedLsn !== undefined || options.rewritesTail === true })
    return storage
  }

  /**
   * Writes at `writeLsn`; returns the end of the last whole record. Throws CorruptionError, with nothing written, when the
   * bytes are no valid continuation of the WAL.
   */
  write(bytes: Uint8Array): Lsn {
    assert(!this.#isClosed, 'wal storage is closed')
    const reader = this.#reader
    reader.push(this.#writeLsn, bytes)
    while (reader.next() !== undefined) {
      // Each record is checked in passing.
    }
    this.#writeBytes(bytes)
    // A record counts as whole when its padding to the next one is here, too.
    if (reader.endLsn <= this.#writeLsn) this.#recordLsn = reader.endLsn
    return this.#recordLsn
  }

  /** True when `syncNow` would not be enough: a directory must be synced, too. */
  get needsBackgroundSync(): boolean {
    return this.#directoryIsDirty
  }

  get isDirty(): boolean {
    return this.#syncedRecordLsn !== this.#recordLsn
  }

  /** Makes all bytes written so far durable on the calling thread. */
  syncNow(): Lsn {
    assert(!this.#directoryIsDirty, 'a new segment needs a directory sync')
    const recordLsn = this.#recordLsn
    for (const file of this.#leftBehind) {
      file.syncNow()
      void file.close()
    }
    this.#leftBehind = []
    this.#current?.file.syncNow()
    this.#syncedRecordLsn = recordLsn
    return recordLsn
  }

  /** The same in the background; resolves with the record end that is durable then. One at a time. */
  async sync(): Promise<Lsn> {
    const recordLsn = this.#recordLsn
    const files = this.#leftBehind
    this.#leftBehind = []
    const current = this.#current?.file
    const directoryIsDirty = this.#directoryIsDirty
    this.#directoryIsDirty = false
    for (const file of files) {
      await file.sync()
      await file.close()
    }
    if (directoryIsDirty) {
      await this.#segments.settle()
      await this.#disk.syncDirectory(this.#directory)
    }
    await current?.sync()
    if (recordLsn > this.#syncedRecordLsn) this.#syncedRecordLsn = recordLsn
    return recordLsn
  }

  /**
   * Cuts the WAL at a record end. Later segments go first, from the last one down, then the rest of the segment is zeroed:
   * whatever a crash leaves of the old bytes is a shorter piece of the same log, never a piece behind a hole. A mark says
   * that it is under way: who finds one writes all of it anew, since zeros that are read may be in memory alone.
   */
  async truncate(lsn: Lsn, options: { rewrite: boolean } = { rewrite: false }): Promise<void> {
    assert(lsn >= this.#oldestLsn, 'wal below the oldest segment is gone')
    assert(lsn <= this.#writeLsn, 'cannot cut behind the end')
    await this.#segments.drop()
    await this.#closeFiles()
    const start = segmentStart(lsn)
    const later = (await listSegments(this.#disk, this.#directory)).filter((segment) => segment > start)
    const hasStart = (await this.#disk.stat(this.#path(start))) !== undefined
    const rewrite = options.rewrite || (await this.#disk.stat(this.#cutMark)) !== undefined
    const mustCut =
      rewrite || later.length > 0 || (hasStart && !(await isZeroFrom(this.#disk, this.#path(start), lsn - start)))
    if (mustCut) await this.#disk.writeFileAtomic(this.#cutMark, new Uint8Array(0))
    for (const segment of later.reverse()) await this.#disk.remove(this.#path(segment))
    if (mustCut) await this.#disk.syncDirectory(this.#directory)
    if (!hasStart) {
      // The WAL ends exactly at a segment start.
      await this.#segments.make(start)
      await this.#disk.syncDirectory(this.#directory)
    }
    const file = await this.#disk.open(this.#path(start), 'write')
    if (mustCut) await zeroTail(file, lsn - start, { rewrite })
    this.#current = { startLsn: start, file }
    if (lsn === this.#startLsn) await this.#writeFirstHeaders(file)
    await file.sync()
    if (mustCut) await this.#disk.remove(this.#cutMark)
    this.#reader = newReader(this.#systemIdentifier, lsn)
    this.#writeLsn = lsn
    this.#recordLsn = lsn
    this.#syncedRecordLsn = lsn
    this.#directoryIsDirty = false
  }

  /** Fills `target` with bytes [lsn, lsn + target.length), all at or above `oldestLsn` and below `writeLsn`. */
  readNow(lsn: Lsn, target: Uint8Array): void {
    assert(lsn >= segmentStart(this.#oldestLsn), 'wal below the oldest segment is gone')
    assert(lsn + target.length <= this.#writeLsn, 'read behind the end of wal')
    let done = 0
    while (done < target.length) {
      const at = lsn + done
      const start = segmentStart(at as Lsn)
      const length = Math.min(target.length - done, start + WAL_SEGMENT_SIZE - at)
      const file = this.#fileForRead(start)
      const count = file.readNow(target.subarray(done, done + length), at - start)
      if (count !== length) throw new CorruptionError('wal segment is cut short', { path: file.path })
      done += length
    }
  }

  /** Path of a local segment. */
  segmentPath(lsn: Lsn): string {
    return this.#path(segmentStart(lsn))
  }

  /** Removes whole segments below `lsn`, oldest first. */
  async trim(lsn: Lsn): Promise<number> {
    const segments = await listSegments(this.#disk, this.#directory)
    const writing = segmentStart(this.#writeLsn)
    let count = 0
    for (const segment of segments) {
      if (segment + WAL_SEGMENT_SIZE > lsn || segment >= writing) break
      this.#oldestLsn = (segment + WAL_SEGMENT_SIZE) as Lsn
      const open = this.#readFiles.get(segment)
      this.#readFiles.delete(segment)
      await open?.close()
      await this.#disk.remove(this.#path(segment))
      count++
    }
    if (count > 0) await this.#disk.syncDirectory(this.#directory)
    return count
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#segments.drop()
    await this.#closeFiles()
  }

  #writeBytes(bytes: Uint8Array): void {
    let done = 0
    while (done < bytes.length) {
      const at = this.#writeLsn
      const start = segmentStart(at)
      if (this.#current === undefined || this.#current.startLsn !== start) this.#enterSegment(start)
      const offset = at - start
      const length = Math.min(bytes.length - done, WAL_SEGMENT_SIZE - offset)
      this.#current!.file.writeNow(length === bytes.length ? bytes : bytes.subarray(done, done + length), offset)
      done += length
      this.#writeLsn = (at + length) as Lsn
    }
    if (this.#writeLsn % WAL_SEGMENT_SIZE > WAL_SEGMENT_SIZE / 2 && !this.#segments.isBusy) {
      this.#segments.prepare((segmentStart(this.#writeLsn) + WAL_SEGMENT_SIZE) as Lsn)
    }
  }

  #enterSegment(start: Lsn): void {
    if (this.#current !== undefined) this.#leftBehind.push(this.#current.file)
    const prepared = this.#segments.take(start)
    if (prepared !== undefined) {
      this.#current = { startLsn: start, file: prepared.file }
      if (!prepared.isNamed) this.#directoryIsDirty = true
      return
    }
    // Not prepared in time: the file grows as it is written, and its name is made durable with the next sync.
    const file = this.#disk.openNow(this.#path(start), 'write')
    this.#current = { startLsn: start, file }
    this.#directoryIsDirty = true
    if (file.sizeBytes() < WAL_SEGMENT_SIZE) file.writeNow(ZEROS.subarray(0, 1), WAL_SEGMENT_SIZE - 1)
  }

  async #createFirstSegment(): Promise<void> {
    const start = segmentStart(this.#startLsn)
    await this.#segments.make(start)
    const file = await this.#disk.open(this.#path(start), 'write')
    await this.#writeFirstHeaders(file)
    await file.sync()
    await this.#disk.syncDirectory(this.#directory)
    this.#current = { startLsn: start, file }
  }

  /** Page headers of the segment's first page and of the page that holds the start, so that tools can read from there. */
  async #writeFirstHeaders(file: DiskFile): Promise<void> {
    const start = segmentStart(this.#startLsn)
    const identity = { systemIdentifier: this.#systemIdentifier, timeline: WAL_TIMELINE }
    for (const page of new Set([start, walPageStart(this.#startLsn)])) {
      // A start right at a page's beginning leaves that page's header to the first writer.
      if (page >= this.#startLsn) continue
      const header = new Uint8Array(40)
      const size = encodeWalPageHeader(header, 0, page, identity)
      await file.write(header.subarray(0, size), page - start)
    }
  }

  #fileForRead(start: Lsn): DiskFile {
    if (this.#current?.startLsn === start) return this.#current.file
    const known = this.#readFiles.get(start)
    if (known !== undefined) return known
    if (this.#readFiles.size >= READ_FILES_MAX) {
      const [oldest, file] = this.#readFiles.entries().next().value!
      this.#readFiles.delete(oldest)
      void file.close()
    }
    const file = this.#disk.openNow(this.#path(start), 'read')
    this.#readFiles.set(start, file)
    return file
  }

  async #closeFiles(): Promise<void> {
    const files = [...this.#leftBehind, ...this.#readFiles.values()]
    if (this.#current !== undefined) files.push(this.#current.file)
    this.#leftBehind = []
    this.#readFiles.clear()
    this.#current = undefined
    for (const file of files) await file.close()
  }

  /** Beside the folder, which holds segments alone. */
  get #cutMark(): string {
    return `${this.#directory}.cutting`
  }

  #path(start: Lsn): string {
    return `${this.#directory}/${formatSegmentName(WAL_TIMELINE, start)}`
  }
}
