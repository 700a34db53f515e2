import { errorText, isStorageError, StorageError, type StorageErrorCode } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { Address, Connection, Listener } from '../io/network.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import {
  BlockListTag,
  blocksAnswerBytes,
  type GetBlocksRequest,
  startBlocksAnswer,
} from '../protocol/block-list-messages.ts'
import {
  BlockRunTag,
  type GetPagesRequest,
  pagesAnswerBytes,
  startPagesAnswer,
} from '../protocol/block-run-messages.ts'
import { FrameBatch } from '../protocol/frame-batch.ts'
import { FrameDecoder } from '../protocol/framing.ts'
import {
  decodePageServiceRequest,
  encodePageServiceError,
  encodeWelcome,
  PAGE_SERVICE_PAYLOAD_BYTES_MAX,
  PAGE_SERVICE_VERSION,
  type PageServiceHello,
} from '../protocol/page-service-messages.ts'
import { encodeSizes, type RelationSizesRequest } from '../protocol/relation-size-messages.ts'
import {
  encodeRelationMapAnswer,
  encodeSlruPages,
  type RelationMapRequest,
  type SlruPagesRequest,
} from '../protocol/small-file-messages.ts'
import { relationMapAt, slruPagesAt } from './timeline/small-files.ts'
import type { Timeline } from './timeline/timeline.ts'

const HELLO_TIMEOUT_MS = 10_000
/** Requests of one connection that wait for an LSN or a layer. Beyond it the connection is not read from. */
const WAITING_REQUESTS_MAX = 256
/** Answers that are ready together go out in one write of up to 12 pages: the client works on them while more are made. */
const ANSWER_BATCH_BYTES = 100 * 1024
/** A page request waits this long for its LSN to be ingested. */
const LSN_WAIT_MS_MAX = 60_000

export interface PageServiceOptions {
  readonly env: Pick<Env, 'clock' | 'log' | 'metrics' | 'network'>
  readonly address: Address
  /** Throws `not-found`. */
  readonly timeline: (projectId: ProjectId, timelineId: TimelineId) => Timeline
}

/** Serves pages and relation sizes over TCP (protocol/page-service-messages.ts). */
export async function openPageService(options: PageServiceOptions): Promise<Listener> {
  const { env } = options
  const metrics: PageServiceMetrics = {
    pages: env.metrics.counter('tributary_pageserver_pages_served_total', 'Pages sent to computes.'),
    requestSeconds: env.metrics.histogram(
      'tributary_pageserver_page_request_seconds',
      'Time from a page request to its answer.',
      [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 10],
    ),
  }
  const sessions = new Set<PageSession>()
  const listener = await env.network.listen(options.address, (connection) => {
    const session = new PageSession(options, metrics, connection, () => sessions.delete(session))
    sessions.add(session)
  })
  return {
    address: listener.address,
    async close() {
      await listener.close()
      for (const session of sessions) session.close()
    },
  }
}

interface PageServiceMetrics {
  readonly pages: { add(amount?: number): void }
  readonly requestSeconds: { observe(value: number): void }
}

/** One connection: a hello, then requests, answered as they become ready. */
class PageSession {
  readonly #options: PageServiceOptions
  readonly #metrics: PageServiceMetrics
  readonly #connection: Connection
  readonly #decoder: FrameDecoder
  readonly #closed = new AbortController()
  readonly #answers: FrameBatch
  #timeline: Timeline | undefined
  #waiting = 0
  #isFlushDue = false
  #isPaused = false

  constructor(options: PageServiceOptions, metrics: PageServiceMetrics, connection: Connection, onClose: () => void) {
    this.#options = options
    this.#metrics = metrics
    this.#connection = connection
    this.#answers = new FrameBatch({
      bufferBytes: ANSWER_BATCH_BYTES,
      send: (bytes) => this.#sendBytes(bytes),
      borrowedBytes: () => connection.borrowedBytes,
    })
    this.#decoder = new FrameDecoder({
      payloadBytesMax: PAGE_SERVICE_PAYLOAD_BYTES_MAX,
      onFrame: (_type, payload) => this.#onRequest(payload),
    })
    const helloTimer = options.env.clock.setTimer(HELLO_TIMEOUT_MS, () => {
      if (!this.#timeline) this.#refuse('invalid-input', 'no hello in time')
    })
    connection.onData = (chunk) => {
      try {
        this.#decoder.push(chunk)
        this.#answers.flush()
      } catch (error) {
        this.#refuse(codeOf(error), errorText(error))
      }
    }
    connection.onClose = () => {
      helloTimer.cancel()
      this.#decoder.close()
      this.#closed.abort()
      onClose()
    }
  }

  close(): void {
    this.#connection.destroy()
  }

  #onRequest(payload: Uint8Array): void {
    const request = decodePageServiceRequest(payload)
    if (request.kind === 'hello') {
      this.#onHello(request)
      return
    }
    const timeline = this.#timeline
    if (!timeline) throw new StorageError('invalid-input', 'request before hello')
    if (request.kind === 'relation-sizes') {
      this.#wait(payload, () => this.#sizes(timeline, request))
      return
    }
    if (request.kind === 'slru-pages' || request.kind === 'relation-map') {
      this.#wait(payload, () => this.#smallFile(timeline, request))
      return
    }
    const startMs = this.#options.env.clock.monotonicMs()
    if (request.lsn <= timeline.lastRecordLsn) {
      try {
        const isAdded =
          request.kind === 'get-pages' ? this.#addPagesNow(timeline, request) : this.#addBlocksNow(timeline, request)
        if (isAdded) {
          this.#count(blocksOf(request), startMs)
          return
        }
      } catch (error) {
        this.#add(encodePageServiceError(codeOf(error), errorText(error), payload))
        return
      }
    }
    this.#wait(payload, async () => {
      await timeline.waitForLsn(request.lsn, LSN_WAIT_MS_MAX, this.#closed.signal)
      const count = blocksOf(request)
      const bytesOf = request.kind === 'get-pages' ? pagesAnswerBytes : blocksAnswerBytes
      const answer = new Uint8Array(bytesOf(count, count))
      const target =
        request.kind === 'get-pages' ? startPagesAnswer(answer, request) : startBlocksAnswer(answer, request)
      const pageCount = await timeline.readPages(request, request.lsn, target)
      this.#count(count, startMs)
      return answer.subarray(0, bytesOf(count, pageCount))
    })
  }

  #onHello(hello: PageServiceHello): void {
    if (hello.version !== PAGE_SERVICE_VERSION) {
      throw new StorageError('unsupported', 'page service version is not spoken here', { version: hello.version })
    }
    const timeline = this.#options.timeline(hello.projectId, hello.timelineId)
    this.#timeline = timeline
    const { systemIdentifier } = timeline.identity
    const { lastRecordLsn } = timeline
    this.#add(encodeWelcome({ version: PAGE_SERVICE_VERSION, systemIdentifier, lastRecordLsn }))
  }

  async #sizes(timeline: Timeline, request: RelationSizesRequest): Promise<Uint8Array> {
    await timeline.waitForLsn(request.lsn, LSN_WAIT_MS_MAX, this.#closed.signal)
    const blockCounts: (number | undefined)[] = []
    for (const { spcOid, dbOid, relNumber, fork } of request.relations) {
      const blockCount = await timeline.sizes.at(spcOid, dbOid, relNumber, fork, request.lsn)
      blockCounts.push(blockCount < 0 ? undefined : blockCount)
    }
    return encodeSizes(request, blockCounts)
  }

  async #smallFile(timeline: Timeline, request: SlruPagesRequest | RelationMapRequest): Promise<Uint8Array> {
    await timeline.waitForLsn(request.lsn, LSN_WAIT_MS_MAX, this.#closed.signal)
    if (request.kind === 'relation-map') {
      return encodeRelationMapAnswer(request, await relationMapAt(timeline.storage, request))
    }
    const { statuses, pages } = await slruPagesAt(timeline.storage, request)
    return encodeSlruPages(request, statuses, pages)
  }

  /** Sends what `answer` comes to; a failure goes back with the request. Bounds how many are under way. */
  #wait(payload: Uint8Array, answer: () => Promise<Uint8Array>): void {
    const kept = payload.slice()
    this.#waiting++
    if (this.#waiting >= WAITING_REQUESTS_MAX && !this.#isPaused) {
      this.#isPaused = true
      this.#connection.pause()
    }
    void answer()
      .catch((error: unknown) => encodePageServiceError(codeOf(error), errorText(error), kept))
      .then((bytes) => {
        this.#waiting--
        if (!this.#closed.signal.aborted) {
          this.#add(bytes)
          this.#flushSoon()
        }
        if (this.#isPaused && this.#waiting < WAITING_REQUESTS_MAX / 2) {
          this.#isPaused = false
          this.#connection.resume()
        }
      })
  }

  /** Puts the pages straight into the buffer to send. False when they have to be waited for. */
  #addPagesNow(timeline: Timeline, request: GetPagesRequest): boolean {
    const { blockCount } = request
    return this.#answers.addUpTo(BlockRunTag.pages, pagesAnswerBytes(blockCount, blockCount), (payload) => {
      const pageCount = timeline.readPagesNow(request, request.lsn, startPagesAnswer(payload, request))
      return pageCount === undefined ? undefined : pagesAnswerBytes(blockCount, pageCount)
    })
  }

  #addBlocksNow(timeline: Timeline, request: GetBlocksRequest): boolean {
    const { length } = request.blocks
    return this.#answers.addUpTo(BlockListTag.blocksAnswer, blocksAnswerBytes(length, length), (payload) => {
      const pageCount = timeline.readPagesNow(request, request.lsn, startBlocksAnswer(payload, request))
      return pageCount === undefined ? undefined : blocksAnswerBytes(length, pageCount)
    })
  }

  #add(payload: Uint8Array): void {
    this.#answers.add(payload[0]!, payload)
  }

  /** After the answers that become ready in this same tick. */
  #flushSoon(): void {
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    queueMicrotask(() => {
      this.#isFlushDue = false
      this.#answers.flush()
    })
  }

  /** True when the bytes are with the operating system already. */
  #sendBytes(bytes: Uint8Array): boolean {
    const connection = this.#connection
    const hasRoom = connection.send(bytes)
    if (!hasRoom && !this.#isPaused) {
      // The client does not read its answers: do not take more requests from it.
      this.#isPaused = true
      connection.pause()
      void connection.drained().then(
        () => {
          this.#isPaused = false
          connection.resume()
        },
        () => undefined,
      )
    }
    return connection.borrowedBytes === 0
  }

  #refuse(code: StorageErrorCode, message: string): void {
    this.#options.env.log.warn('page service connection refused', { remote: this.#connection.remote, error: message })
    this.#decoder.close()
    this.#add(encodePageServiceError(code, message))
    this.#answers.flush()
    this.#connection.end()
  }

  #count(blockCount: number, startMs: number): void {
    this.#metrics.pages.add(blockCount)
    this.#metrics.requestSeconds.observe((this.#options.env.clock.monotonicMs() - startMs) / 1000)
  }
}

function blocksOf(request: GetPagesRequest | GetBlocksRequest): number {
  return request.kind === 'get-pages' ? request.blockCount : request.blocks.length
}

function codeOf(error: unknown): StorageErrorCode {
  return isStorageError(error) ? error.code : 'unavailable'
}
