import type { Socket } from 'node:net'
import type { ComputeConnection } from './compute-connection.ts'
import { FrontendTracker } from './frontend-tracker.ts'
import { readSetting, type SettingAnswer } from './setting-question.ts'
import { SyncWaitGuard } from './sync-wait-guard.ts'
import { encodeErrorResponse, encodeQuery, ProxyError, SQLSTATE } from './wire.ts'

/**
 * A session after the log-in: bytes go to and fro as they come. Towards the client they pass the SyncWaitGuard; towards
 * the compute only headers are looked at. A side that does not read stops the other side's reading: no more than what the
 * sockets buffer is kept.
 *
 * A client can hide the WARNING of a broken wait from itself, and so from the guard (client_min_messages = error). After
 * a cancel request that ended in success the proxy therefore asks the compute, between two questions of the client's,
 * whether warnings are shown at all; if not, the outcome is unknown. In a pool there is no asking the same connection again:
 * there the outcome is unknown after every cancel request that ended in success.
 */
export interface SplicedSessionOptions {
  readonly client: Socket
  readonly compute: ComputeConnection
  /** Read ahead of the client. */
  readonly ahead: Buffer
  /** The next question may go to another connection than the last one. */
  readonly isPooled: boolean
  onBrokenWait(): void
  onClose(): void
}

/** After one side ended, the other gets so long to take what is on its way. */
const LINGER_MS_MAX = 30_000
const WARNINGS_QUESTION = encodeQuery('SHOW client_min_messages')
/** A cancel request on its way may hit the question itself. */
const QUESTIONS_MAX = 3

export class SplicedSession {
  readonly #options: SplicedSessionOptions
  readonly #guard: SyncWaitGuard
  readonly #tracker = new FrontendTracker()
  bytesFromClient = 0
  bytesToClient = 0
  #isClosed = false
  /** Cancel requests that the compute has not taken yet. */
  #cancelsOnTheirWay = 0
  /** A cancel request may have hit the round that is going on. */
  #isCancelled = false
  #question: { bytes: Buffer; asked: number } | undefined

  constructor(options: SplicedSessionOptions) {
    this.#options = options
    const { client, compute, ahead } = options
    this.#guard = new SyncWaitGuard({
      write: (bytes) => this.#toClient(bytes),
      abort: (reason) => this.end(new ProxyError(SQLSTATE.connectionFailure, reason)),
      onBrokenWait: () => options.onBrokenWait(),
      onReady: (status, round) => this.#onReady(status, round.hadError),
    })
    compute.attach((chunk) => this.#fromCompute(chunk))
    client.on('data', (chunk: Buffer) => this.#fromClient(chunk))
    client.on('drain', () => compute.socket.resume())
    compute.socket.on('drain', () => {
      if (!this.#question) client.resume()
    })
    client.on('end', () => compute.socket.end())
    client.on('close', () => this.#close())
    client.on('error', () => this.#close())
    compute.socket.on('end', () => this.#computeEnded())
    compute.socket.on('close', () => this.#computeEnded())
    compute.socket.on('error', () => this.#computeEnded())
    if (ahead.length > 0) this.#fromClient(ahead)
    client.resume()
    compute.socket.resume()
    if (client.destroyed) this.#close()
    else if (compute.socket.destroyed) this.#computeEnded()
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** A cancel request for this session is being passed on. */
  onCancel(step: 'sent' | 'taken'): void {
    this.#cancelsOnTheirWay += step === 'sent' ? 1 : -1
    this.#isCancelled = true
  }

  /** Ends the session with a reason; the first one counts. */
  end(error: ProxyError): void {
    const { client, compute } = this.#options
    if (this.#isClosed || client.writableEnded) return
    compute.socket.destroy()
    if (this.#guard.isAtMessageEnd) client.end(encodeErrorResponse(error))
    else client.end()
    this.#linger()
  }

  #fromClient(chunk: Buffer): void {
    const { client, compute } = this.#options
    // Said to a session that has ended: read, so that the client's own end is seen, and given to nobody.
    if (compute.socket.destroyed) return
    this.bytesFromClient += chunk.length
    const seen = this.#tracker.feed(chunk)
    if (seen === 'flush') this.#guard.flushRequested()
    else if (seen === 'broken') return this.end(new ProxyError(SQLSTATE.protocolViolation, 'invalid message length'))
    if (!compute.socket.write(chunk)) client.pause()
  }

  #fromCompute(chunk: Buffer): void {
    if (this.#question) this.#answered(chunk)
    else this.#guard.feed(chunk)
  }

  #toClient(bytes: Buffer): void {
    this.bytesToClient += bytes.length
    const { client, compute } = this.#options
    if (!client.write(bytes)) compute.socket.pause()
  }

  /** ReadyForQuery. True: it may go to the client. */
  #onReady(status: number, hadError: boolean): boolean {
    this.#tracker.readyForQuery()
    if (!this.#isCancelled) return true
    this.#isCancelled = this.#cancelsOnTheirWay > 0
    // An error is no commit; in a failed transaction nothing can be asked.
    if (hadError || status === 'E'.charCodeAt(0)) return true
    queueMicrotask(() => (this.#options.isPooled ? this.#guard.replaceRound() : this.#askWhetherWarningsShow()))
    return false
  }

  #askWhetherWarningsShow(): void {
    const { client, compute } = this.#options
    if (this.#isClosed) return
    // What the client sent ahead would be answered first: no telling then.
    if (!this.#tracker.isIdle) return this.#guard.replaceRound()
    client.pause()
    this.#question = { bytes: this.#guard.takeRest(), asked: 1 }
    compute.socket.write(WARNINGS_QUESTION)
  }

  #answered(chunk: Buffer): void {
    const question = this.#question
    if (!question) return
    question.bytes = Buffer.concat([question.bytes, chunk])
    const answer = readSetting(question.bytes)
    if (answer === undefined) return
    if (answer.value === undefined && question.asked < QUESTIONS_MAX) {
      question.asked++
      question.bytes = answer.others
      this.#options.compute.socket.write(WARNINGS_QUESTION)
      return
    }
    this.#question = undefined
    if (showsWarnings(answer)) this.#guard.release()
    else this.#guard.replaceRound()
    if (answer.others.length > 0) this.#guard.feed(answer.others)
    this.#options.client.resume()
  }

  #computeEnded(): void {
    if (this.#isClosed) return
    const { client } = this.#options
    // A kept-back CommandComplete is not sent: nothing says that it was a commit.
    if (!client.writableEnded && this.#guard.isAtMessageEnd && this.#tracker.roundsDue > 0)
      client.end(encodeErrorResponse(computeGone()))
    else if (!client.writableEnded) client.end()
    this.#linger()
  }

  #linger(): void {
    const { client } = this.#options
    const timer = setTimeout(() => client.destroy(), LINGER_MS_MAX)
    timer.unref()
    client.once('close', () => clearTimeout(timer))
    client.resume()
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#options.client.destroy()
    // What the client sent last (Terminate) still goes out.
    this.#options.compute.socket.end()
    this.#options.compute.socket.destroySoon()
    this.#options.onClose()
  }
}

function showsWarnings({ value }: SettingAnswer): boolean {
  return value !== undefined && !['error', 'fatal', 'panic'].includes(value)
}

function computeGone(): ProxyError {
  return new ProxyError(SQLSTATE.adminShutdown, 'the compute ended while it was at work', {
    detail: 'If a transaction was being committed its outcome is unknown.',
    hint: 'Connect again; the endpoint is started or replaced by itself.',
  })
}
