import { CorruptionError } from '../base/errors.ts'
import type { RelationLocator } from '../postgres/two-phase.ts'
import { forEachTuple } from './heap-tuple.ts'
import { SCAN_BLOCKS, type SnapshotSource, STEP_BLOCKS } from './snapshot-source.ts'
import type { TransactionStatus } from './transaction-status.ts'

/**
 * Calls back for each visible tuple of a relation, in block order. `isWanted` may turn tuples away before their
 * visibility is judged. Throws `corruption` for a page that is no heap page.
 */
export async function scanVisibleTuples(
  source: SnapshotSource,
  transactions: TransactionStatus,
  relation: RelationLocator,
  onTuple: (page: Uint8Array, start: number, end: number) => void,
  isWanted?: (page: Uint8Array, start: number) => boolean,
): Promise<void> {
  const blockCount = (await source.blockCount(relation)) ?? 0
  for (let first = 0; first < blockCount; first += SCAN_BLOCKS) {
    const pages = await source.readPages(relation, first, Math.min(SCAN_BLOCKS, blockCount - first))
    for (let at = 0; at < pages.length; at += STEP_BLOCKS) {
      await source.giveWay?.()
      const step = pages.slice(at, at + STEP_BLOCKS)
      await transactions.load(step)
      step.forEach((page, i) => {
        if (!page) return
        const isHeap = forEachTuple(page, (start, end) => {
          if (isWanted && !isWanted(page, start)) return
          if (transactions.isVisible(page, start)) onTuple(page, start, end)
        })
        if (!isHeap) {
          throw new CorruptionError('not a heap page', { relNumber: relation.relNumber, block: first + at + i })
        }
      })
    }
  }
}
