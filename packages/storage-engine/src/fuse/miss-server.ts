import { errorText } from '../base/errors.ts'
import type { Log } from '../io/log.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import type { RelationFork } from '../postgres/relation.ts'
import { errnoOf, TreeError } from './file-tree.ts'
import { Errno, REPLY_HEADER_BYTES, writeReplyHeader } from './fuse-protocol.ts'
import type { ReaderMessage } from './miss-messages.ts'
import { type CacheFolder, writeLocal } from './overlay.ts'
import { PagePresence } from './page-presence.ts'
import type { PageReader } from './page-reader.ts'
import { noReadAhead, onMark, onMiss, type ReadAheadState, type ReadAheadStep } from './read-ahead.ts'

/**
 * Pages of one request, 256 KiB: the pages of the first request are installed and read while the PageServer is at work on
 * the next ones.
 */
const PAGES_PER_FETCH_MAX = 32
/** Fetches for read-ahead under way at once, over all relations: 64 x 256 KiB. Beyond it read-ahead is left out. */
const READ_AHEAD_FETCHES_MAX = 64

interface Segment {
  readonly nodeId: number
  readonly relation: RelationFork
  readonly firstBlock: number
  readonly presence: PagePresence
  readonly fetches: Set<Fetch>
  readAhead: ReadAheadState
}

/** Pages [first, end) of a segment on their way. */
interface Fetch {
  readonly first: number
  readonly end: number
  readonly done: Promise<void>
}

export interface MissCounts {
  fetchedPages: number
  readAheadPages: number
  failures: number
}

/**
 * The main thread's half of the mount: fetches absent pages, installs them in the overlay, then answers the read that
 * waits in the kernel. The kernel keeps the pages of such a read locked until the answer, so Postgres cannot write them
 * in between; pages read ahead have no such lock and rely on PagePresence.claim alone.
 */
export class MissServer {
  readonly counts: MissCounts = { fetchedPages: 0, readAheadPages: 0, failures: 0 }
  readonly #segments = new Map<number, Segment>()
  readonly #folder: CacheFolder
  readonly #pageReader: PageReader
  readonly #reply: (parts: readonly Uint8Array[]) => void
  readonly #log: Log
  #readAheadFetches = 0
  #answer = new Uint8Array(0)

  constructor(options: {
    folder: CacheFolder
    pageReader: PageReader
    /** Writes one reply to the device before it returns. */
    reply: (parts: readonly Uint8Array[]) => void
    log: Log
  }) {
    this.#folder = options.folder
    this.#pageReader = options.pageReader
    this.#reply = options.reply
    this.#log = options.log
  }

  onMessage(message: ReaderMessage): void {
    switch (message.kind) {
      case 'segment-opened':
        this.#segments.set(message.nodeId, {
          nodeId: message.nodeId,
          relation: message.relation,
          firstBlock: message.firstBlock,
          presence: new PagePresence(message.presence),
          fetches: new Set(),
          readAhead: noReadAhead,
        })
        return
      case 'segment-dropped':
        this.#segments.delete(message.nodeId)
        this.#folder.close(message.nodeId)
        return
      case 'read-miss':
        void this.#serveMiss(message)
        return
      case 'change-after-fill':
        void this.#serveChange(message)
        return
      case 'mark-reached': {
        const segment = this.#segments.get(message.nodeId)
        if (segment) this.#fetchAhead(segment, onMark(segment.readAhead, message.endPage, segment.presence.pageCount))
        return
      }
      case 'failure':
        this.#log.error('fuse request failed', { reason: message.text })
        return
      case 'ended':
        return
      default:
        message satisfies never
    }
  }

  async #serveMiss(miss: Extract<ReaderMessage, { kind: 'read-miss' }>): Promise<void> {
    const header = new Uint8Array(REPLY_HEADER_BYTES)
    const words = new Uint32Array(header.buffer)
    try {
      const segment = this.#segment(miss.nodeId)
      const first = Math.floor(miss.offset / PAGE_SIZE)
      const end = Math.ceil((miss.offset + miss.byteCount) / PAGE_SIZE)
      const fetched = this.#fetchAbsent(segment, first, end)
      this.#fetchAhead(segment, onMiss(segment.readAhead, first, end, segment.presence.pageCount))
      await fetched
      const data = this.#answerBuffer(miss.byteCount)
      const descriptor = this.#folder.descriptor(miss.nodeId, false)
      const byteCount = this.#folder.files.read(descriptor, data, 0, miss.byteCount, miss.offset)
      writeReplyHeader(words, REPLY_HEADER_BYTES + byteCount, 0, miss.uniqueLow, miss.uniqueHigh)
      this.#reply([header, data.subarray(0, byteCount)])
    } catch (error) {
      this.#reportFailure(miss.nodeId, error)
      writeReplyHeader(words, REPLY_HEADER_BYTES, errnoOf(error), miss.uniqueLow, miss.uniqueHigh)
      this.#reply([header])
    }
  }

  /** Used again by the next answer: a reply is written before anything else runs. */
  #answerBuffer(byteCount: number): Uint8Array {
    if (this.#answer.length < byteCount) this.#answer = new Uint8Array(byteCount)
    return this.#answer
  }

  async #serveChange(request: Extract<ReaderMessage, { kind: 'change-after-fill' }>): Promise<void> {
    const { change, nodeId, reply } = request
    try {
      const segment = this.#segment(nodeId)
      for (const page of request.pages) await this.#fetchAbsent(segment, page, page + 1)
      const descriptor = this.#folder.descriptor(nodeId, false)
      if (change.kind === 'write') {
        const { data, position } = change
        const written = writeLocal(segment.presence, position, data.length, () =>
          this.#folder.files.write(descriptor, data, 0, data.length, position),
        )
        if (written < data.length) throw new TreeError(Errno.ENOSPC)
      } else {
        segment.presence.makeLocal(Math.ceil(change.sizeBytes / PAGE_SIZE))
        this.#folder.files.truncate(descriptor, change.sizeBytes)
      }
      this.#reply([reply])
    } catch (error) {
      this.#reportFailure(nodeId, error)
      const header = reply.slice(0, REPLY_HEADER_BYTES)
      const words = new Uint32Array(header.buffer)
      writeReplyHeader(words, REPLY_HEADER_BYTES, errnoOf(error), words[2]!, words[3]!)
      this.#reply([header])
    }
  }

  /** Resolves when every page of [first, end) is in the overlay. */
  async #fetchAbsent(segment: Segment, first: number, end: number): Promise<void> {
    const waits: Promise<unknown>[] = []
    // What others asked for may fail for a page that is of no concern here.
    for (const fetch of segment.fetches) {
      if (fetch.first < end && fetch.end > first) waits.push(fetch.done.catch(() => undefined))
    }
    for (const run of this.#absentRuns(segment, first, end)) {
      waits.push(this.#startFetch(segment, run.first, run.end).done)
    }
    await Promise.all(waits)
    // A read-ahead that was waited for may have failed: whoever needs the pages asks for them again.
    if (segment.presence.firstAbsent(first, end) < end) {
      for (const run of this.#absentRuns(segment, first, end)) await this.#startFetch(segment, run.first, run.end).done
    }
  }

  #fetchAhead(segment: Segment, step: ReadAheadStep): void {
    segment.readAhead = step.state
    const runs = this.#absentRuns(segment, step.firstPage, step.endPage)
    for (const run of runs) {
      if (this.#readAheadFetches >= READ_AHEAD_FETCHES_MAX) return
      this.#readAheadFetches++
      this.counts.readAheadPages += run.end - run.first
      this.#startFetch(segment, run.first, run.end)
        .done.then(
          () => segment.presence.mark(run.first),
          (error: unknown) => this.#log.debug('read-ahead failed', { reason: errorText(error) }),
        )
        .finally(() => this.#readAheadFetches--)
    }
  }

  /** Runs of pages in [first, end) that are neither here nor on their way, none longer than one request. */
  #absentRuns(segment: Segment, first: number, end: number): { first: number; end: number }[] {
    const runs: { first: number; end: number }[] = []
    const bound = Math.min(end, segment.presence.pageCount)
    let page = first
    while (page < bound) {
      if (segment.presence.isPresent(page) || isOnItsWay(segment, page)) {
        page++
        continue
      }
      const start = page
      while (
        page < bound &&
        page - start < PAGES_PER_FETCH_MAX &&
        !segment.presence.isPresent(page) &&
        !isOnItsWay(segment, page)
      ) {
        page++
      }
      runs.push({ first: start, end: page })
    }
    return runs
  }

  #startFetch(segment: Segment, first: number, end: number): Fetch {
    const done = this.#pageReader
      .usePages(segment.relation, segment.firstBlock + first, end - first, (pages) =>
        this.#install(segment, first, pages),
      )
      .finally(() => segment.fetches.delete(fetch))
    const fetch: Fetch = { first, end, done }
    segment.fetches.add(fetch)
    this.counts.fetchedPages += end - first
    return fetch
  }

  /** Writes runs of pages that could be claimed; what Postgres has written meanwhile stays. */
  #install(segment: Segment, first: number, pages: readonly (Uint8Array | undefined)[]): void {
    if (this.#segments.get(segment.nodeId) !== segment) return
    const descriptor = this.#folder.descriptor(segment.nodeId, false)
    let at = 0
    while (at < pages.length) {
      if (!segment.presence.claim(first + at)) {
        at++
        continue
      }
      const start = at
      const parts = [pages[at] ?? ZERO_PAGE]
      for (at++; at < pages.length && segment.presence.claim(first + at); at++) parts.push(pages[at] ?? ZERO_PAGE)
      let isWritten = false
      try {
        isWritten =
          this.#folder.files.writeMany(descriptor, parts, (first + start) * PAGE_SIZE) === parts.length * PAGE_SIZE
      } finally {
        for (let page = first + start; page < first + start + parts.length; page++) {
          if (isWritten) segment.presence.finishInstall(page)
          else segment.presence.abandonInstall(page)
        }
      }
      if (!isWritten) throw new Error('short write to the cache file')
    }
  }

  #segment(nodeId: number): Segment {
    const segment = this.#segments.get(nodeId)
    if (!segment) throw new Error(`no open segment for node ${nodeId}`)
    return segment
  }

  #reportFailure(nodeId: number, error: unknown): void {
    this.counts.failures++
    const segment = this.#segments.get(nodeId)
    this.#log.error('page fetch failed', {
      relation: segment ? Object.values(segment.relation).join('/') : undefined,
      reason: errorText(error),
    })
  }
}

const ZERO_PAGE = new Uint8Array(PAGE_SIZE)

function isOnItsWay(segment: Segment, page: number): boolean {
  for (const fetch of segment.fetches) if (page >= fetch.first && page < fetch.end) return true
  return false
}
