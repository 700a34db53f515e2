import { CorruptionError, errorText, StorageError } from '../base/errors.ts'
import type { Timer } from '../io/clock.ts'
import type { Env } from '../io/env.ts'
import type { Address, Connection } from '../io/network.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import type { Lsn } from '../postgres/lsn.ts'
import type { RelationFork } from '../postgres/relation.ts'
import {
  BlockRunTag,
  GET_PAGES_BYTES,
  type GetPagesRequest,
  isSameRequest,
  type PagesResponse,
} from '../protocol/block-run-messages.ts'
import { FrameBatch } from '../protocol/frame-batch.ts'
import { encodeFrame, FRAME_HEADER_SIZE, FrameDecoder } from '../protocol/framing.ts'
import {
  decodePageServiceResponse,
  encodePageServiceRequest,
  PAGE_SERVICE_PAYLOAD_BYTES_MAX,
  PAGE_SERVICE_VERSION,
  type PageServiceRequest,
} from '../protocol/page-service-messages.ts'
import { PageStatus } from '../protocol/status-pages.ts'

export interface PageClientOptions {
  readonly env: Pick<Env, 'clock' | 'network' | 'log' | 'metrics'>
  readonly address: Address
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  /** Every read is as of this LSN. */
  readonly lsn: Lsn
  /** From the request to its failure, reconnects included. */
  readonly giveUpMs: number
}

/** Requests on the wire at once; more wait their turn. 256 x up to 1 MiB of answers at worst. */
const REQUESTS_IN_FLIGHT_MAX = 256
const CONNECT_TIMEOUT_MS = 3000
const RECONNECT_DELAY_MS_MAX = 500
/** A PageServer that owes answers and sends nothing for so long is connected to anew. */
const SILENT_MS_MAX = 30_000

interface Call {
  readonly request: GetPagesRequest
  readonly deadlineMs: number
  readonly startedMs: number
  readonly use: (pages: readonly (Uint8Array | undefined)[]) => void
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * Reads pages from the PageServer over one connection: pipelined, answers in any order, each compared with its request
 * field by field. A lost connection is opened again and everything unanswered asked once more; reads have no effects.
 */
export class PageClient {
  readonly #options: PageClientOptions
  readonly #calls = new Map<number, Call>()
  readonly #waiting: Call[] = []
  readonly #latency
  readonly #pages
  #connection: Connection | undefined
  #isReady = false
  #isConnecting = false
  #isClosed = false
  #isSendDue = false
  #nextId = 1
  #heardMs = 0
  #watch: Timer | undefined

  constructor(options: PageClientOptions) {
    this.#options = options
    const { metrics } = options.env
    this.#pages = metrics.counter('tributary_compute_fetched_pages_total', 'Pages fetched from the PageServer')
    this.#latency = metrics.histogram(
      'tributary_compute_page_fetch_seconds',
      'Time from a page request to its answer',
      [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1, 10],
    )
  }

  /** Connects ahead of the first read. */
  warmUp(): void {
    void this.#connect()
  }

  /** Pages in memory of their own. */
  async readPages(
    relation: RelationFork,
    firstBlock: number,
    blockCount: number,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    let copies: (Uint8Array | undefined)[] = []
    await this.usePages(relation, firstBlock, blockCount, (pages) => {
      copies = pages.map((page) => page?.slice())
    })
    return copies
  }

  /** Resolves after `use`, which gets the pages before the connection is read any further; they are lent until it returns. */
  usePages(
    relation: RelationFork,
    firstBlock: number,
    blockCount: number,
    use: (pages: readonly (Uint8Array | undefined)[]) => void,
  ): Promise<void> {
    const { env, lsn, giveUpMs } = this.#options
    if (this.#isClosed) return Promise.reject(new StorageError('aborted', 'page client is closed'))
    const requestId = this.#nextId
    this.#nextId = (this.#nextId + 1) >>> 0 || 1
    const { spcOid, dbOid, relNumber, fork } = relation
    const request: GetPagesRequest = {
      kind: 'get-pages',
      requestId,
      lsn,
      spcOid,
      dbOid,
      relNumber,
      fork,
      firstBlock,
      blockCount,
    }
    const startedMs = env.clock.monotonicMs()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, startedMs, deadlineMs: startedMs + giveUpMs, use, resolve, reject })
      this.#watchConnection()
      this.#sendSoon()
    })
  }

  close(): void {
    this.#isClosed = true
    this.#watch?.cancel()
    this.#connection?.destroy()
    for (const call of [...this.#calls.values(), ...this.#waiting.splice(0)]) {
      call.reject(new StorageError('aborted', 'page client is closed'))
    }
    this.#calls.clear()
  }

  /** Requests made in the same tick go out in one write. */
  #sendSoon(): void {
    if (this.#isSendDue) return
    this.#isSendDue = true
    queueMicrotask(() => {
      this.#isSendDue = false
      this.#sendWaiting()
    })
  }

  #sendWaiting(): void {
    const connection = this.#connection
    if (!connection || !this.#isReady) {
      void this.#connect()
      return
    }
    const count = Math.min(this.#waiting.length, REQUESTS_IN_FLIGHT_MAX - this.#calls.size)
    if (count <= 0) return
    const bufferBytes = count * (FRAME_HEADER_SIZE + GET_PAGES_BYTES)
    const batch = new FrameBatch({
      bufferBytes,
      send: (bytes) => {
        connection.send(bytes)
        return false
      },
    })
    if (this.#calls.size === 0) this.#heardMs = this.#options.env.clock.monotonicMs()
    for (const call of this.#waiting.splice(0, count)) {
      this.#calls.set(call.request.requestId, call)
      batch.add(BlockRunTag.getPages, encodePageServiceRequest(call.request))
    }
    batch.flush()
  }

  async #connect(): Promise<void> {
    if (this.#isConnecting || this.#isReady || this.#isClosed) return
    this.#isConnecting = true
    const decoder = new FrameDecoder({
      payloadBytesMax: PAGE_SERVICE_PAYLOAD_BYTES_MAX,
      onFrame: (_type, payload) => this.#onResponse(payload),
      lendsFrames: true,
    })
    const nextBuffer = () => decoder.nextBuffer()
    const { env, address, projectId, timelineId } = this.#options
    for (let delayMs = 5; !this.#isClosed; delayMs = Math.min(delayMs * 2, RECONNECT_DELAY_MS_MAX)) {
      this.#expire()
      try {
        const connection = await env.network.connect(address, { timeoutMs: CONNECT_TIMEOUT_MS, nextBuffer })
        this.#isConnecting = false
        this.#use(connection, decoder)
        connection.send(frameOf({ kind: 'hello', version: PAGE_SERVICE_VERSION, projectId, timelineId }))
        return
      } catch (error) {
        env.log.debug('page service is away', { reason: errorText(error) })
        await env.clock.sleep(delayMs)
      }
    }
    this.#isConnecting = false
  }

  #use(connection: Connection, decoder: FrameDecoder): void {
    const { env } = this.#options
    this.#connection = connection
    this.#isReady = false
    this.#heardMs = env.clock.monotonicMs()
    connection.onData = (chunk) => {
      this.#heardMs = env.clock.monotonicMs()
      try {
        decoder.push(chunk)
      } catch (error) {
        decoder.close()
        env.log.error('page service connection dropped', { reason: errorText(error) })
        connection.destroy()
      }
    }
    connection.onClose = () => {
      if (this.#connection !== connection) return
      this.#connection = undefined
      this.#isReady = false
      if (this.#isClosed) return
      // Oldest first, ahead of those that have never been sent.
      this.#waiting.unshift(...this.#calls.values())
      this.#calls.clear()
      // A pause, so that a server which closes each connection at once is not asked in a tight loop.
      env.clock.setTimer(20, () => {
        if (this.#waiting.length > 0) void this.#connect()
      })
    }
  }

  /** As long as answers are owed. */
  #watchConnection(): void {
    const { clock, log } = this.#options.env
    this.#watch ??= clock.setTimer(SILENT_MS_MAX / 6, () => {
      this.#watch = undefined
      const owed = this.#calls.size + this.#waiting.length
      if (this.#isClosed || owed === 0) return
      if (this.#connection && clock.monotonicMs() - this.#heardMs > SILENT_MS_MAX) {
        log.warn('page service does not answer, connecting again', { requests: owed })
        this.#connection.destroy()
      }
      this.#watchConnection()
    })
  }

  #onResponse(payload: Uint8Array): void {
    const response = decodePageServiceResponse(payload)
    switch (response.kind) {
      case 'welcome':
        this.#isReady = true
        this.#sendWaiting()
        return
      case 'pages': {
        const call = this.#take(response.request)
        this.#settle(call, response)
        if (this.#waiting.length > 0) this.#sendSoon()
        return
      }
      case 'error': {
        const error = new StorageError(response.code, `page service: ${response.message}`)
        if (response.request?.kind !== 'get-pages') {
          if (!error.retryable) for (const call of this.#waiting.splice(0)) call.reject(error)
          this.#connection?.destroy()
          return
        }
        const call = this.#take(response.request)
        if (error.retryable && this.#options.env.clock.monotonicMs() < call.deadlineMs) this.#retry(call)
        else call.reject(error)
        return
      }
      case 'sizes':
      case 'blocks':
      case 'slru-pages':
      case 'relation-map':
        throw new CorruptionError('page service answered what nobody asked')
      default:
        response satisfies never
    }
  }

  #retry(call: Call): void {
    this.#options.env.clock.setTimer(50, () => {
      if (this.#isClosed) return call.reject(new StorageError('aborted', 'page client is closed'))
      this.#waiting.push(call)
      this.#sendWaiting()
    })
  }

  #take(request: GetPagesRequest): Call {
    const call = this.#calls.get(request.requestId)
    if (!call || !isSameRequest(call.request, request)) {
      throw new CorruptionError('page service answered another request', { requestId: request.requestId })
    }
    this.#calls.delete(request.requestId)
    return call
  }

  #settle(call: Call, response: PagesResponse): void {
    this.#latency.observe((this.#options.env.clock.monotonicMs() - call.startedMs) / 1000)
    const beyond = response.statuses.indexOf(PageStatus.beyondEnd)
    if (beyond >= 0) {
      const { relNumber, fork, firstBlock } = call.request
      call.reject(
        new CorruptionError('page service has no such block', { relNumber, fork, block: firstBlock + beyond }),
      )
      return
    }
    this.#pages.add(response.pages.length)
    try {
      call.use(response.pages)
    } catch (error) {
      call.reject(error instanceof Error ? error : new Error(String(error)))
      return
    }
    call.resolve()
  }

  #expire(): void {
    const nowMs = this.#options.env.clock.monotonicMs()
    for (let i = this.#waiting.length - 1; i >= 0; i--) {
      const call = this.#waiting[i]!
      if (nowMs < call.deadlineMs) continue
      this.#waiting.splice(i, 1)
      call.reject(new StorageError('unavailable', 'page service did not answer in time'))
    }
  }
}

function frameOf(request: PageServiceRequest): Uint8Array {
  const payload = encodePageServiceRequest(request)
  return encodeFrame(payload[0]!, payload)
}
