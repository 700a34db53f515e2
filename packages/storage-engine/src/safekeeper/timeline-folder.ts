import { StorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { TermHistory } from '../protocol/safekeeper-messages.ts'
import type { AcceptorState } from './acceptor.ts'
import { type ControlFile, encodeControlFile, readControlFile } from './control-file.ts'
import type { TimelineIdentity } from './timeline-identity.ts'
import { WalStorage, type WalStorageOptions } from './wal-storage.ts'

/** A timeline on a SafeKeeper's disk: its control file, and its WAL in the folder `wal`. */
export interface TimelineFolder {
  readonly env: Pick<Env, 'disk'>
  readonly directory: string
  readonly allocation: 'zero-fill' | 'sparse'
}

export async function writeControl(
  options: Pick<TimelineFolder, 'env' | 'directory'>,
  control: ControlFile,
): Promise<void> {
  await options.env.disk.writeFileAtomic(controlPath(options.directory), encodeControlFile(control))
}

export function controlPath(directory: string): string {
  return `${directory}/control`
}

/** Of a timeline that is made: it holds nothing, and promised no more than `seed` says. */
export function firstControl(
  identity: TimelineIdentity,
  seed: { readonly term: number; readonly history: TermHistory },
): ControlFile {
  const { startLsn } = identity
  return {
    ...identity,
    ...seed,
    flushFloorLsn: startLsn,
    commitLsn: startLsn,
    peerHorizonLsn: startLsn,
    backupLsn: startLsn,
    remoteConsistentLsn: Lsn.zero,
    truncateLsn: undefined,
  }
}

/** What of the state must outlive the process. `truncateLsn`: a cut that is decided. */
export function controlOf(identity: TimelineIdentity, state: AcceptorState, truncateLsn: Lsn | undefined): ControlFile {
  const { term, history, flushLsn, commitLsn, peerHorizonLsn, backupLsn, remoteConsistentLsn } = state
  const flushFloorLsn = truncateLsn === undefined ? flushLsn : Lsn.min(flushLsn, truncateLsn)
  const progress = { flushFloorLsn, commitLsn, peerHorizonLsn, backupLsn, remoteConsistentLsn }
  return { ...identity, term, history, ...progress, truncateLsn }
}

/** Rejects with `not-found` when there is no control file, with CorruptionError when it is damaged. */
export async function readControl(options: TimelineFolder): Promise<ControlFile> {
  const control = await readControlFile(options.env.disk, controlPath(options.directory))
  if (control === undefined) throw new StorageError('not-found', 'no control file', { directory: options.directory })
  return control
}

/**
 * The WAL, and the state that it and the control file make together. `after`: see WalStorageOptions. Rejects with
 * CorruptionError when the WAL is damaged.
 */
export async function openState(
  options: TimelineFolder,
  control: ControlFile,
  after: Partial<Pick<WalStorageOptions, 'trustedLsn' | 'rewritesTail'>>,
): Promise<{ state: AcceptorState; storage: WalStorage }> {
  const { disk } = options.env
  const storage = await WalStorage.open({
    disk,
    directory: `${options.directory}/wal`,
    systemIdentifier: control.systemIdentifier,
    startLsn: control.startLsn,
    flushFloorLsn: control.flushFloorLsn,
    truncateLsn: control.truncateLsn,
    ...after,
    allocation: options.allocation,
  })
  const endLsn = storage.recordLsn
  if (control.truncateLsn !== undefined) {
    // Finished by opening the storage: forget it before anything is appended behind it.
    const finished = { ...control, truncateLsn: undefined, flushFloorLsn: Lsn.min(control.flushFloorLsn, endLsn) }
    await writeControl(options, finished)
  }
  const state: AcceptorState = {
    startLsn: control.startLsn,
    term: control.term,
    history: control.history,
    writeLsn: endLsn,
    recordLsn: endLsn,
    flushLsn: endLsn,
    commitLsn: Lsn.min(control.commitLsn, endLsn),
    leaderCommitLsn: Lsn.min(control.commitLsn, endLsn),
    peerHorizonLsn: control.peerHorizonLsn,
    backupLsn: control.backupLsn,
    pageserverReceivedLsn: Lsn.zero,
    remoteConsistentLsn: control.remoteConsistentLsn,
    stream: 0,
  }
  return { state, storage }
}
