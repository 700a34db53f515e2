import { isStorageError } from '../src/base/errors.ts'
import { KEY_BYTES, KeyKind, KeyScratch, Slru } from '../src/pageserver/key.ts'
import type { AttachedTimeline } from '../src/pageserver/open-project.ts'
import { rebuildPage } from '../src/pageserver/rebuild-page.ts'
import { recordPositionAt } from '../src/pageserver/timeline/record-position.ts'
import { commitAtOrBefore } from '../src/pageserver/timeline/time-index.ts'
import { Lsn } from '../src/postgres/lsn.ts'
import { PageStatus } from '../src/protocol/status-pages.ts'
import { PromiseBroken } from './commit-checker.ts'
import { COPIED_DB, DB, type ForkAtLsn, type LogModel, RELATIONS, SPC } from './log-model.ts'

/** Every page and size that a timeline answers with at `lsn` is what the replay of the whole log gives. */
export async function checkPages(attached: AttachedTimeline, model: LogModel, lsn: Lsn): Promise<void> {
  const expected = new Map((await model.forks(lsn)).map((fork) => [nameOf(fork), fork]))
  for (const dbOid of [DB, COPIED_DB]) {
    for (const relNumber of RELATIONS) {
      for (const fork of [0, 1, 2]) {
        const name = nameOf({ dbOid, relNumber, fork })
        const known = expected.get(name)
        const blockCount = await attached.timeline.sizes.at(SPC, dbOid, relNumber, fork, lsn)
        if (blockCount !== (known?.blockCount ?? -1)) {
          const found = `${blockCount} blocks, not ${known?.blockCount ?? 'gone'}`
          throw new PromiseBroken(`page-at-lsn: fork ${name} at ${Lsn.format(lsn)} has ${found}`)
        }
        if (known !== undefined && known.blockCount > 0) await checkFork(attached, model, lsn, known)
      }
    }
  }
  await checkClog(attached, model, lsn)
  await checkJournals(attached, model, lsn)
}

async function checkFork(attached: AttachedTimeline, model: LogModel, lsn: Lsn, known: ForkAtLsn): Promise<void> {
  const { dbOid, relNumber, fork, blockCount } = known
  const range = { spcOid: SPC, dbOid, relNumber, fork, firstBlock: 0, blockCount }
  const { statuses, pages } = await attached.timeline.getPages(range, lsn)
  for (let block = 0; block < blockCount; block++) {
    const page = statuses[block] === PageStatus.zero ? new Uint8Array(8192) : pages[block]
    const wanted = model.page(relNumber, fork, block, lsn, dbOid)
    if (page === undefined || Buffer.compare(page, wanted) !== 0) {
      const at = page === undefined ? 'missing' : `differs from byte ${page.findIndex((byte, i) => byte !== wanted[i])}`
      throw new PromiseBroken(`page-at-lsn: block ${block} of ${nameOf(known)} at ${Lsn.format(lsn)} ${at}`)
    }
  }
}

async function checkClog(attached: AttachedTimeline, model: LogModel, lsn: Lsn): Promise<void> {
  const key = new KeyScratch().slruPage(Slru.xact, 0, 0).slice(0, KEY_BYTES)
  const [found] = await attached.storage.collect(key, 1, lsn)
  const page = rebuildPage(key, found!)
  if (Buffer.compare(page, rebuildPage(key, model.storage.collectNow(key, 1, lsn)[0]!)) !== 0) {
    throw new PromiseBroken(`page-at-lsn: clog at ${Lsn.format(lsn)} differs`)
  }
  const state = new KeyScratch().single(KeyKind.clusterState).slice(0, KEY_BYTES)
  const [counters] = await attached.storage.collect(state, 1, lsn)
  const wanted = model.storage.collectNow(state, 1, lsn)[0]!.values[0]!
  if (Buffer.compare(counters?.values[0] ?? new Uint8Array(), wanted) !== 0) {
    throw new PromiseBroken(`page-at-lsn: cluster state at ${Lsn.format(lsn)} differs`)
  }
}

/** Batches differ with restarts; what they say about an LSN must not. */
async function checkJournals(attached: AttachedTimeline, model: LogModel, lsn: Lsn): Promise<void> {
  const found = await recordPositionAt(attached.storage, lsn)
  const wanted = await recordPositionAt(model.storage, lsn)
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new PromiseBroken(
      `record-position: at ${Lsn.format(lsn)} ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`,
    )
  }
  const commit = await commitAtOrBefore(attached.storage, lsn)
  const committed = await commitAtOrBefore(model.storage, lsn)
  if (commit?.endLsn !== committed?.endLsn || commit?.time !== committed?.time) {
    throw new PromiseBroken(`time-index: the last commit at ${Lsn.format(lsn)} differs`)
  }
}

/** True for the refusal of an LSN below the history kept. */
export function isBelowHistory(error: unknown): boolean {
  return isStorageError(error, 'not-found')
}

function nameOf({ dbOid, relNumber, fork }: Omit<ForkAtLsn, 'blockCount'>): string {
  return `${dbOid}/${relNumber}.${fork}`
}
