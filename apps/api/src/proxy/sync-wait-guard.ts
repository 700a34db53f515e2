import { decodeNoticeFields, encodeErrorResponse, ProxyError, SQLSTATE } from './wire.ts'

/**
 * Looks at what a compute sends after the log-in, so that a commit whose wait for the quorum was broken off never looks
 * like a commit. Postgres then reports success with a WARNING (SyncRepWaitForLSN in src/backend/replication/syncrep.c,
 * PG 18); on the wire
 *
 *   simple query                          Notice  CommandComplete  ReadyForQuery
 *   extended query, explicit COMMIT       Notice  CommandComplete  ReadyForQuery
 *   extended query, implicit transaction  CommandComplete  Notice  ReadyForQuery
 *
 * The guard makes of each: ErrorResponse 40003 "outcome unknown", ReadyForQuery. For the last case it keeps back what
 * starts with a CommandComplete until the ReadyForQuery of the same round has come: only that says
 * "committed". (A tag does not tell a change: CREATE TABLE AS ends with SELECT.) It recognises the Notice by the name of the C function (field R), which no user can forge.
 *
 * Everything else passes in the chunks it came in, uncopied. Pure: bytes in, bytes out.
 */
export interface GuardOutput {
  /** The slices are valid until the next call, unless they are kept (then the guard made them). */
  write(bytes: Buffer): void
  /** The session cannot go on: the compute broke the protocol, or a broken wait is followed by what cannot be hidden. */
  abort(reason: string): void
  /** A wait was broken and is now reported. */
  onBrokenWait(): void
  /** Once per ReadyForQuery, with its status ('I', 'T', 'E'), before it is written. False: keep it back until `release()`. */
  onReady(status: number, round: RoundSummary): boolean
}

export interface RoundSummary {
  /** An ErrorResponse was part of the round. */
  readonly hadError: boolean
}

/** A CommandComplete and what follows it, while the ReadyForQuery is outstanding. Beyond this it is passed on. */
export const GUARD_HELD_BYTES_MAX = 64 * 1024
/** Notices and CommandComplete are collected whole up to here; the ones that matter are far shorter. */
const COLLECT_BYTES_MAX = 16 * 1024
/** PQ_LARGE_MESSAGE_LIMIT (MaxAllocSize - 1) and its length word. */
const MESSAGE_BYTES_MAX = 0x3fff_ffff + 4

const HEADER_BYTES = 5
const [N, C, Z, E, G, H, W] = [...'NCZEGHW'].map((letter) => letter.charCodeAt(0))

const EMPTY = Buffer.alloc(0)

export class SyncWaitGuard {
  readonly #output: GuardOutput
  /** Start of a message whose end has not come. */
  #partial: Buffer = EMPTY
  /** Body bytes still to come of a message that has been passed on (or dropped) so far. */
  #bodyLeft = 0
  #held: Buffer[] = []
  #heldBytes = 0
  /** No holding back before the next ReadyForQuery: the client asked for the answers so far, or they are too many. */
  #passesRound = false
  /** After a broken wait, up to ReadyForQuery. */
  #drops = false
  #hadError = false
  /** A ReadyForQuery, and what came after it, waits for `release()` or `replaceRound()`. */
  #readyKept: Buffer | undefined

  constructor(output: GuardOutput) {
    this.#output = output
  }

  /** The client sent Flush: it waits for the answers before it sends Sync, so they cannot be kept back. */
  flushRequested(): void {
    this.#passesRound = true
    this.#releaseHeld()
  }

  /** Bytes kept back at the moment. */
  get heldBytes(): number {
    return this.#heldBytes + (this.#readyKept?.length ?? 0)
  }

  /** While a ReadyForQuery is kept back, bytes that follow it belong to a question of the proxy's own. */
  get isKeepingReady(): boolean {
    return this.#readyKept !== undefined
  }

  /** What was written so far ends with a whole message: an error of the proxy's own can follow. */
  get isAtMessageEnd(): boolean {
    return this.#bodyLeft === 0 || this.#drops || this.#heldBytes > 0
  }

  feed(incoming: Buffer): void {
    let chunk = incoming
    if (this.#partial.length > 0) {
      chunk = Buffer.concat([this.#partial, incoming])
      this.#partial = EMPTY
    }
    let at = 0
    /** First byte that is neither written, held nor dropped. */
    let from = 0
    if (this.#bodyLeft > 0) {
      at = Math.min(this.#bodyLeft, chunk.length)
      this.#bodyLeft -= at
      if (this.#drops) from = at
    }
    /** Where a CommandComplete began that no ReadyForQuery has followed yet. */
    let holdFrom = -1
    while (at < chunk.length) {
      const available = chunk.length - at
      if (available < HEADER_BYTES) break
      const type = chunk[at]!
      const size = 1 + chunk.readUInt32BE(at + 1)
      if (size < HEADER_BYTES || size > MESSAGE_BYTES_MAX + 1)
        return this.#output.abort('the compute sent a message of impossible length')
      if (type === N || type === C || type === Z) {
        if (available < size && size <= COLLECT_BYTES_MAX) break
        if (type === N && size <= COLLECT_BYTES_MAX && !this.#drops) {
          const broken = brokenWait(chunk.subarray(at + HEADER_BYTES, at + size))
          if (broken) {
            this.#write(chunk, from, holdFrom < 0 ? at : holdFrom)
            this.#reportBrokenWait(broken)
            holdFrom = -1
            from = at + size
          }
        } else if (type === C && !this.#drops && !this.#passesRound && holdFrom < 0 && this.#heldBytes === 0) {
          holdFrom = at
        } else if (type === Z) {
          if (this.#drops) {
            this.#drops = false
            from = at
          }
          holdFrom = -1
          this.#passesRound = false
          const mayPass = this.#output.onReady(chunk[at + HEADER_BYTES] ?? 0, { hadError: this.#hadError })
          this.#hadError = false
          if (!mayPass) {
            // The round's answer up to here stays back as well: it may have to be taken back.
            this.#hold(chunk.subarray(from, at))
            this.#readyKept = Buffer.from(chunk.subarray(at, at + size))
            this.#partial = Buffer.from(chunk.subarray(at + size))
            return
          }
          this.#releaseHeld()
        }
      } else if (type === E) this.#hadError = true
      else if (this.#drops && (type === G || type === H || type === W))
        return this.#output.abort('a copy follows a commit whose outcome is unknown')
      if (this.#drops) from = Math.min(at + size, chunk.length)
      if (available < size) {
        this.#bodyLeft = size - available
        at = chunk.length
      } else at += size
    }
    if (at < chunk.length) this.#partial = Buffer.from(chunk.subarray(at))
    this.#write(chunk, from, holdFrom < 0 ? at : holdFrom)
    if (holdFrom >= 0) this.#hold(chunk.subarray(holdFrom, at))
  }

  /** What followed a kept ReadyForQuery, or the beginning of a message. */
  takeRest(): Buffer {
    const rest = this.#partial
    this.#partial = EMPTY
    return rest
  }

  /** Lets a kept ReadyForQuery go with the answer it ends. */
  release(): void {
    this.#releaseHeld()
    this.#endRound()
  }

  /** Takes the kept answer back and says that the outcome is unknown. */
  replaceRound(): void {
    this.#reportBrokenWait('hidden')
    this.#drops = false
    this.#endRound()
  }

  #endRound(): void {
    const ready = this.#readyKept
    this.#readyKept = undefined
    this.#passesRound = false
    if (ready) this.#output.write(ready)
    const rest = this.takeRest()
    if (rest.length > 0) this.feed(rest)
  }

  #reportBrokenWait(how: BrokenWait): void {
    this.#held = []
    this.#heldBytes = 0
    this.#hadError = true
    this.#drops = true
    this.#output.write(encodeErrorResponse(outcomeUnknown(), how === 'terminated' ? 'FATAL' : 'ERROR'))
    this.#output.onBrokenWait()
  }

  #write(chunk: Buffer, from: number, to: number): void {
    if (to <= from) return
    const bytes = from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to)
    if (this.#heldBytes > 0) this.#hold(bytes)
    else this.#output.write(bytes)
  }

  #hold(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#held.push(Buffer.from(bytes))
    this.#heldBytes += bytes.length
    if (this.#heldBytes > GUARD_HELD_BYTES_MAX) {
      this.#passesRound = true
      this.#releaseHeld()
    }
  }

  #releaseHeld(): void {
    if (this.#heldBytes === 0) return
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    this.#output.write(Buffer.concat(held))
  }
}

type BrokenWait = 'cancelled' | 'terminated' | 'hidden'

function brokenWait(noticeBody: Buffer): BrokenWait | undefined {
  // Nearly all notices are something else; the fields are read only of those that name the function.
  if (!noticeBody.includes('RSyncRepWaitForLSN')) return undefined
  const fields = decodeNoticeFields(noticeBody)
  if (fields.get('R') !== 'SyncRepWaitForLSN') return undefined
  return fields.get('C') === SQLSTATE.adminShutdown ? 'terminated' : 'cancelled'
}

export function outcomeUnknown(): ProxyError {
  return new ProxyError(
    SQLSTATE.statementCompletionUnknown,
    'outcome unknown: the wait for the commit to reach a quorum was broken off',
    {
      detail:
        'The transaction may be kept or lost: it is written on this compute, but no quorum of SafeKeepers has confirmed it.',
      hint: 'Look whether the change is there before you repeat it.',
    },
  )
}
