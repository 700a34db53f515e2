import { CorruptionError, StorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { Address, Connection } from '../io/network.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import type { GetBlocksRequest } from '../protocol/block-list-messages.ts'
import type { GetPagesRequest } from '../protocol/block-run-messages.ts'
import { encodeFrame, FrameDecoder } from '../protocol/framing.ts'
import {
  decodePageServiceResponse,
  encodePageServiceRequest,
  PAGE_SERVICE_PAYLOAD_BYTES_MAX,
  PAGE_SERVICE_VERSION,
  type PageServiceRequest,
  type PageServiceResponse,
} from '../protocol/page-service-messages.ts'
import type { RelationSizesRequest } from '../protocol/relation-size-messages.ts'
import type { RelationMapRequest, SlruPagesRequest } from '../protocol/small-file-messages.ts'

const CONNECT_TIMEOUT_MS = 3000
/** Requests on the wire at once: 16 x up to 1 MiB of answers. More wait their turn. */
const REQUESTS_IN_FLIGHT_MAX = 16

export type ReadRequest =
  | GetPagesRequest
  | GetBlocksRequest
  | RelationSizesRequest
  | SlruPagesRequest
  | RelationMapRequest
export type ReadResponse = Extract<
  PageServiceResponse,
  { kind: 'pages' | 'blocks' | 'sizes' | 'slru-pages' | 'relation-map' }
>

interface Call {
  readonly request: ReadRequest
  readonly encoded: Uint8Array
  readonly resolve: (response: ReadResponse) => void
  readonly reject: (error: Error) => void
}

/**
 * One connection to the page service of one timeline, opened when first needed and again after a loss. A request that was
 * under way when the connection was lost fails with `unavailable`: reads have no effects, so the caller may ask again.
 */
export class PageServiceClient {
  readonly #env: Pick<Env, 'network'>
  readonly #address: Address
  readonly #projectId: ProjectId
  readonly #timelineId: TimelineId
  readonly #calls = new Map<number, Call>()
  readonly #waiting: Call[] = []
  #connection: Connection | undefined
  #isReady = false
  #isConnecting = false
  #isClosed = false
  #nextId = 1

  constructor(options: {
    readonly env: Pick<Env, 'network'>
    readonly address: Address
    readonly projectId: ProjectId
    readonly timelineId: TimelineId
  }) {
    this.#env = options.env
    this.#address = options.address
    this.#projectId = options.projectId
    this.#timelineId = options.timelineId
  }

  /** Answers borrow from a buffer of their own: they may be kept. */
  read<Request extends ReadRequest>(
    request: Omit<Request, 'requestId'>,
  ): Promise<Extract<ReadResponse, { readonly request: Request }>> {
    if (this.#isClosed) return Promise.reject(new StorageError('aborted', 'page service client is closed'))
    const requestId = this.#nextId
    this.#nextId = (this.#nextId + 1) >>> 0 || 1
    const whole = { ...request, requestId } as unknown as ReadRequest
    return new Promise((resolve, reject) => {
      const call: Call = {
        request: whole,
        encoded: encodePageServiceRequest(whole),
        // The answer repeats its request, which is compared before it gets here: the kinds belong together.
        resolve: resolve as (response: ReadResponse) => void,
        reject,
      }
      this.#waiting.push(call)
      this.#sendWaiting()
    })
  }

  close(): void {
    this.#isClosed = true
    this.#connection?.destroy()
    this.#failAll(new StorageError('aborted', 'page service client is closed'))
  }

  #sendWaiting(): void {
    const connection = this.#connection
    if (!connection || !this.#isReady) {
      if (!this.#isConnecting && !connection) void this.#connect()
      return
    }
    while (this.#waiting.length > 0 && this.#calls.size < REQUESTS_IN_FLIGHT_MAX) {
      const call = this.#waiting.shift()!
      this.#calls.set(call.request.requestId, call)
      connection.send(encodeFrame(call.encoded[0]!, call.encoded))
    }
  }

  async #connect(): Promise<void> {
    this.#isConnecting = true
    try {
      this.#use(await this.#env.network.connect(this.#address, { timeoutMs: CONNECT_TIMEOUT_MS }))
    } catch (error) {
      this.#failAll(error instanceof Error ? error : new StorageError('unavailable', String(error)))
    } finally {
      this.#isConnecting = false
    }
  }

  #use(connection: Connection): void {
    this.#connection = connection
    this.#isReady = false
    const decoder = new FrameDecoder({
      payloadBytesMax: PAGE_SERVICE_PAYLOAD_BYTES_MAX,
      onFrame: (_type, payload) => this.#onResponse(payload.slice()),
    })
    let failure: Error | undefined
    connection.onData = (chunk) => {
      try {
        decoder.push(chunk)
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error))
        decoder.close()
        connection.destroy()
      }
    }
    connection.onClose = () => {
      this.#connection = undefined
      this.#isReady = false
      this.#failAll(failure ?? new StorageError('unavailable', 'page service closed the connection'))
    }
    const hello: PageServiceRequest = {
      kind: 'hello',
      version: PAGE_SERVICE_VERSION,
      projectId: this.#projectId,
      timelineId: this.#timelineId,
    }
    const encoded = encodePageServiceRequest(hello)
    connection.send(encodeFrame(encoded[0]!, encoded))
  }

  #onResponse(payload: Uint8Array): void {
    const response = decodePageServiceResponse(payload)
    if (response.kind === 'welcome') {
      this.#isReady = true
    } else if (response.kind === 'error') {
      const error = new StorageError(response.code, `page service: ${response.message}`)
      const request = response.request
      if (!request || request.kind === 'hello') {
        this.#failAll(error)
        this.#connection?.destroy()
        return
      }
      this.#take(request).reject(error)
    } else {
      this.#take(response.request).resolve(response)
    }
    this.#sendWaiting()
  }

  #take(request: ReadRequest): Call {
    const call = this.#calls.get(request.requestId)
    const same = call && encodePageServiceRequest(request)
    if (!call || !same || !isSame(call.encoded, same)) {
      throw new CorruptionError('page service answered another request', { requestId: request.requestId })
    }
    this.#calls.delete(request.requestId)
    return call
  }

  #failAll(error: Error): void {
    const calls = [...this.#calls.values(), ...this.#waiting.splice(0)]
    this.#calls.clear()
    for (const call of calls) call.reject(error)
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
