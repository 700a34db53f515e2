import type { CommitLog } from '../postgres/commit-log.ts'
import { setHintBits } from '../postgres/hint-bits.ts'
import { Fork, type RelationFork } from '../postgres/relation.ts'
import type { PageSource } from './compute-parts.ts'

/** The pages of `source` with the hint bits that follow from the commit log of their LSN: see postgres/hint-bits.ts. */
export function withHints(source: PageSource, commitLog: CommitLog): PageSource {
  const hint = (relation: RelationFork, pages: readonly (Uint8Array | undefined)[]): void => {
    if (relation.fork !== Fork.main) return
    for (const page of pages) if (page) setHintBits(page, commitLog)
  }
  return {
    async readPages(relation, firstBlock, blockCount) {
      const pages = await source.readPages(relation, firstBlock, blockCount)
      hint(relation, pages)
      return pages
    },
    usePages: (relation, firstBlock, blockCount, use) =>
      source.usePages(relation, firstBlock, blockCount, (pages) => {
        hint(relation, pages)
        use(pages)
      }),
    close: () => source.close(),
  }
}
