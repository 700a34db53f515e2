import { hintCommittedInserters } from '../postgres/committed-hints.ts'
import { Fork, type RelationFork } from '../postgres/relation.ts'
import type { PageSource } from './compute-parts.ts'

/** The pages of `source` with the hint bits that they can have: see postgres/committed-hints.ts. */
export function withHints(source: PageSource): PageSource {
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

function hint(relation: RelationFork, pages: readonly (Uint8Array | undefined)[]): void {
  if (relation.fork !== Fork.main) return
  for (const page of pages) if (page) hintCommittedInserters(page)
}
