import type { RelationFork } from '../postgres/relation.ts'

/** Where absent pages come from: the page service at the compute's boot LSN, or anything else that has them. */
export interface PageReader {
  /**
   * Blocks [firstBlock, firstBlock + blockCount), blockCount at most PAGES_PER_READ_MAX; an all-zero page may be undefined.
   * They are lent to `use` until it returns. Waits and retries while the source is away; rejects when it gives up, the block is
   * beyond the fork's end, or `use` throws.
   */
  usePages(
    relation: RelationFork,
    firstBlock: number,
    blockCount: number,
    use: (pages: readonly (Uint8Array | undefined)[]) => void,
  ): Promise<void>
}

/** 1 MiB. */
export const PAGES_PER_READ_MAX = 128
