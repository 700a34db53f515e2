import { errorText, StorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { Address } from '../io/network.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { PeerLink } from './peer-link.ts'
import { readWal } from './wal-reader-client.ts'

/** A SafeKeeper of this term that others can be fed from. */
export interface CatchUpSource {
  readonly id: number
  readonly address: Address
  readonly flushLsn: number
}

export interface CatchUpOptions {
  readonly env: Pick<Env, 'clock' | 'network' | 'log'>
  readonly signal: AbortSignal
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly term: () => number
  /** Where the proposer's own buffer takes over; it moves on. */
  readonly endLsn: () => Lsn
  readonly source: () => CatchUpSource | undefined
  /** False: wait until the connection has drained. */
  readonly send: (lsn: Lsn, bytes: Uint8Array) => boolean
}

const RETRY_MS = 50

/**
 * Sends WAL from before the proposer's buffer, read from another SafeKeeper, until the buffer is reached, the connection is
 * lost or the signal fires. Moves `link.sentLsn`.
 */
export async function catchUp(link: PeerLink, options: CatchUpOptions): Promise<void> {
  const { env, signal, projectId, timelineId } = options
  const { connection } = link
  try {
    while (link.connection === connection && !signal.aborted && link.sentLsn! < options.endLsn()) {
      const source = options.source()
      const endLsn = Lsn.min(options.endLsn(), (source?.flushLsn ?? 0) as Lsn)
      if (source === undefined || endLsn <= link.sentLsn!) {
        await env.clock.sleep(RETRY_MS, { signal })
        continue
      }
      const request = {
        kind: 'start-wal',
        projectId,
        timelineId,
        startLsn: link.sentLsn!,
        upTo: 'flush',
        term: options.term(),
      } as const
      const onWal = (lsn: Lsn, bytes: Uint8Array): Promise<void> | undefined => {
        if (link.connection !== connection || lsn !== link.sentLsn) {
          throw new StorageError('aborted', 'the safekeeper to catch up is gone')
        }
        const hasRoom = options.send(lsn, bytes.slice())
        link.sentLsn = (lsn + bytes.length) as Lsn
        return hasRoom ? undefined : connection!.drained()
      }
      try {
        await readWal(env, source.address, request, endLsn, onWal, { signal })
      } catch (error) {
        env.log.warn('catch-up interrupted', { peer: link.id, source: source.id, error: errorText(error) })
        await env.clock.sleep(RETRY_MS, { signal })
      }
    }
  } catch {
    // Closed while waiting.
  }
}
