/** What the query worker asks of the storage processes over HTTP. */
import { openHttpStorageAdmin } from '../admin/http-storage-admin-client.ts'
import type { StorageAdmin } from '../admin/storage-admin.ts'
import { isStorageError, StorageError } from '../base/errors.ts'
import { callJson } from '../io/http-client.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'

export interface HttpPeer {
  readonly host: string
  readonly httpPort: number
}

/** A SafeKeeper that answers at all does so in this time. */
const SAFEKEEPER_TIMEOUT_MS = 1000
/** Committed WAL reaches the PageServer in milliseconds; what is not committed never does. */
const TIP_WAIT_MS = 1500
const CALL_TIMEOUT_MS = 10_000

export interface Tip {
  readonly lsn: Lsn
}

export class StorageCalls {
  readonly admin: StorageAdmin
  readonly #pageserver: string
  readonly #token: string | undefined
  readonly #safekeepers: readonly HttpPeer[]
  /** By timeline: an end of WAL that was waited for in vain, since it is not committed. */
  readonly #unreached = new Map<TimelineId, Lsn>()

  constructor(options: {
    readonly pageserver: HttpPeer & { readonly adminToken?: string | undefined }
    readonly safekeepers: readonly HttpPeer[]
  }) {
    const { pageserver } = options
    this.#pageserver = `http://${pageserver.host}:${pageserver.httpPort}`
    this.#token = pageserver.adminToken
    this.#safekeepers = options.safekeepers
    this.admin = openHttpStorageAdmin({
      url: this.#pageserver,
      ...(pageserver.adminToken === undefined ? {} : { token: pageserver.adminToken }),
    })
  }

  /**
   * An LSN at or after every commit that was acknowledged before the call: what so many SafeKeepers have flushed that
   * nothing beyond can be acknowledged, as far as it turns out to be committed.
   */
  async tip(projectId: ProjectId, timelineId: TimelineId): Promise<Lsn> {
    const flushed = await this.#acknowledgedEnd(projectId, timelineId)
    const known = this.#unreached.get(timelineId) ?? Lsn.zero
    const atLeast = flushed > known ? flushed : Lsn.zero
    const query = `?atLeast=${encodeURIComponent(Lsn.format(atLeast))}&waitMs=${TIP_WAIT_MS}`
    const url = `${this.#pageserver}/projects/${projectId}/timelines/${timelineId}/tip${query}`
    const reply = await callJson(url, {
      timeoutMs: CALL_TIMEOUT_MS,
      ...(this.#token === undefined ? {} : { token: this.#token }),
    })
    const lsn = Lsn.parse(textField(reply, 'lsn'))
    if (lsn < atLeast) this.#unreached.set(timelineId, atLeast)
    return lsn
  }

  /**
   * With n members and r answers, an acknowledged commit is flushed on at least (majority - (n - r)) of those that answered:
   * it ends at or before the flush LSN that so many have reached.
   */
  async #acknowledgedEnd(projectId: ProjectId, timelineId: TimelineId): Promise<Lsn> {
    const memberCount = this.#safekeepers.length
    if (memberCount === 0) return Lsn.zero
    const answers = await Promise.all(this.#safekeepers.map((peer) => flushLsnOf(peer, projectId, timelineId)))
    const flushed = answers.filter((lsn) => lsn !== undefined).sort((a, b) => b - a)
    const needed = Math.floor(memberCount / 2) + 1 - (memberCount - flushed.length)
    // A timeline that no SafeKeeper has yet has no WAL of its own.
    if (flushed.every((lsn) => lsn === Lsn.zero) && flushed.length > memberCount / 2) return Lsn.zero
    if (needed < 1) {
      throw new StorageError('unavailable', 'too few safekeepers answer to know what is committed', {
        answers: flushed.length,
      })
    }
    return flushed[needed - 1]!
  }
}

/** Zero: it does not have the timeline. Undefined: no answer. */
async function flushLsnOf(peer: HttpPeer, projectId: ProjectId, timelineId: TimelineId): Promise<Lsn | undefined> {
  const url = `http://${peer.host}:${peer.httpPort}/timelines/${projectId}/${timelineId}`
  try {
    return Lsn.parse(textField(await callJson(url, { timeoutMs: SAFEKEEPER_TIMEOUT_MS }), 'flushLsn'))
  } catch (error) {
    return isStorageError(error, 'not-found') ? Lsn.zero : undefined
  }
}

function textField(reply: unknown, name: string): string {
  const value = typeof reply === 'object' && reply !== null ? (reply as Record<string, unknown>)[name] : undefined
  if (typeof value !== 'string') throw new StorageError('unavailable', 'reply lacks a field', { name })
  return value
}
