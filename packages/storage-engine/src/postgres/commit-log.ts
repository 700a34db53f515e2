import { PAGE_SIZE } from './constants.ts'
import {
  clogByte,
  clogPage,
  clogShift,
  parseSlruSegmentName,
  SLRU_DIRECTORY,
  slruPageInSegment,
  slruSegment,
} from './slru.ts'
import { isNormalXid } from './xid.ts'

/** The newest segments are kept, 256 KiB of a million transactions each: 16 MiB at most. */
const SEGMENTS_MAX = 64

/** How the latest transactions ended as of one moment, out of the files of pg_xact as they were then. */
export class CommitLog {
  readonly #segments = new Map<number, Uint8Array>()
  /** Rows that lie together have often come together. */
  #lastXid = 0
  #lastStatus: number | undefined

  /** Takes copies of those of `files` that are of pg_xact. `nextXid` is the first that was not given out. */
  constructor(files: readonly { readonly path: string; readonly bytes: Uint8Array }[], nextXid: number) {
    const folder = `${SLRU_DIRECTORY.clog}/`
    const newest = slruSegment(clogPage(nextXid))
    for (const { path, bytes } of files) {
      const segment = path.startsWith(folder) ? parseSlruSegmentName(path.slice(folder.length)) : undefined
      if (segment !== undefined && segment <= newest && segment > newest - SEGMENTS_MAX)
        this.#segments.set(segment, bytes.slice())
    }
  }

  /** A value of XidStatus; undefined for a special transaction id and for one that is not in what is kept. */
  status(xid: number): number | undefined {
    if (xid === this.#lastXid) return this.#lastStatus
    this.#lastXid = xid
    this.#lastStatus = this.#find(xid)
    return this.#lastStatus
  }

  #find(xid: number): number | undefined {
    if (!isNormalXid(xid)) return undefined
    const page = clogPage(xid)
    const segment = this.#segments.get(slruSegment(page))
    const byte = segment?.[slruPageInSegment(page) * PAGE_SIZE + clogByte(xid)]
    return byte === undefined ? undefined : (byte >>> clogShift(xid)) & 3
  }
}
