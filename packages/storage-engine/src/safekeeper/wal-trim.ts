import { WAL_SEGMENT_SIZE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { segmentStart } from '../wal/segment.ts'

/** A member that is away longer than this much WAL is caught up from object storage instead. */
export const WAL_KEPT_FOR_PEERS_BYTES_MAX = 64 * WAL_SEGMENT_SIZE

export interface TrimView {
  readonly commitLsn: Lsn
  /** End of the segments in object storage. */
  readonly backupLsn: Lsn
  /** End of WAL whose effect the PageServer has in object storage. */
  readonly remoteConsistentLsn: Lsn
  /** All members have what is below. */
  readonly peerHorizonLsn: Lsn
}

/** Local segments wholly below the result can go: archived, not needed by the PageServer, and not by a peer for long. */
export function planTrim(view: TrimView): Lsn {
  const keptForPeers = Math.max(view.peerHorizonLsn, view.commitLsn - WAL_KEPT_FOR_PEERS_BYTES_MAX)
  const lsn = Math.min(view.backupLsn, view.remoteConsistentLsn, view.commitLsn, keptForPeers)
  return segmentStart(Lsn.of(Math.max(0, lsn)))
}
