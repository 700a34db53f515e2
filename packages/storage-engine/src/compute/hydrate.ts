import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { StorageError } from '../base/errors.ts'
import { PAGE_SIZE, RELATION_SEGMENT_BLOCKS } from '../postgres/constants.ts'
import type { RelationFork } from '../postgres/relation.ts'
import { formatRelationPath } from '../postgres/relation-path.ts'
import type { Account, RelationTree } from './data-dir.ts'

/** Reads up to PAGES_PER_READ blocks of a fork at the boot LSN; an all-zero page may be undefined. */
export type ReadPages = (
  relation: RelationFork,
  firstBlock: number,
  blockCount: number,
) => Promise<readonly (Uint8Array | undefined)[]>

/** The same, lent to `use` until it returns; resolves after it. */
export type UsePages = (
  relation: RelationFork,
  firstBlock: number,
  blockCount: number,
  use: (pages: readonly (Uint8Array | undefined)[]) => void,
) => Promise<void>

const PAGES_PER_READ = 128
/** 1 MiB each. */
const READS_AT_ONCE_MAX = 8
const ZERO_PAGE = new Uint8Array(PAGE_SIZE)

/**
 * Mode `hydrate`: writes base/ and global/ into the data directory with every page fetched. pg_control comes last, so an
 * interrupted run leaves a directory that Postgres refuses.
 */
export async function hydrate(options: {
  folder: string
  tree: RelationTree
  account: Account | undefined
  readPages: ReadPages
  onProgress: (donePages: number, allPages: number) => void
}): Promise<void> {
  const { folder, tree, account, readPages } = options
  const own = async (target: string): Promise<void> => {
    if (account) await fs.lchown(target, account.uid, account.gid)
  }
  for (const directory of tree.directories) {
    await fs.mkdir(path.join(folder, directory), { recursive: true, mode: 0o700 })
    await own(path.join(folder, directory))
  }
  const isLast = (file: { path: string }): boolean => file.path === 'global/pg_control'
  for (const file of tree.files) if (!isLast(file)) await writeWhole(file)

  const allPages = tree.relations.reduce((sum, relation) => sum + relation.blockCount, 0)
  let donePages = 0
  let next = 0
  const work = async (): Promise<void> => {
    for (let relation = tree.relations[next++]; relation; relation = tree.relations[next++]) {
      await hydrateRelation(relation, relation.blockCount)
    }
  }
  await Promise.all(Array.from({ length: READS_AT_ONCE_MAX }, work))
  for (const file of tree.files) if (isLast(file)) await writeWhole(file)

  async function writeWhole(file: { path: string; mode: number; bytes: Uint8Array }): Promise<void> {
    const target = path.join(folder, file.path)
    await fs.writeFile(target, file.bytes, { mode: file.mode & 0o777 })
    await own(target)
  }

  async function hydrateRelation(relation: RelationFork, blockCount: number): Promise<void> {
    let segment = 0
    do {
      const firstBlock = segment * RELATION_SEGMENT_BLOCKS
      const endBlock = Math.min(firstBlock + RELATION_SEGMENT_BLOCKS, blockCount)
      const target = path.join(folder, formatRelationPath(relation, segment))
      const handle = await fs.open(target, 'w', 0o600)
      try {
        for (let block = firstBlock; block < endBlock; block += PAGES_PER_READ) {
          const count = Math.min(PAGES_PER_READ, endBlock - block)
          const pages = await readPages(relation, block, count)
          const parts = pages.map((page) => page ?? ZERO_PAGE)
          const { bytesWritten } = await handle.writev(parts, (block - firstBlock) * PAGE_SIZE)
          if (bytesWritten !== count * PAGE_SIZE) throw new StorageError('exhausted', 'short write', { target })
          donePages += count
          options.onProgress(donePages, allPages)
        }
      } finally {
        await handle.close()
      }
      await own(target)
      segment++
    } while (segment * RELATION_SEGMENT_BLOCKS < blockCount)
  }
}
