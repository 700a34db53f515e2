import * as fs from 'node:fs'
import { z } from 'zod'
import { CorruptionError, StorageError } from '../base/errors.ts'
import type { Disk } from '../io/disk.ts'
import type { Random } from '../io/random.ts'
import { hexId, ProjectId, TimelineId } from '../postgres/ids.ts'

const branchName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/)

const catalogFile = z.strictObject({
  formatVersion: z.literal(1),
  projectId: z.string().transform((text) => ProjectId.parse(text)),
  postgresPassword: z.string().min(1),
  adminToken: z.string().min(1),
  branches: z.array(
    z.strictObject({
      name: branchName,
      timelineId: z.string().transform((text) => TimelineId.parse(text)),
      parent: z.string().nullable(),
      /** Being made: whether the PageServer has it is not known to this file. */
      isPending: z.literal(true).optional(),
    }),
  ),
})

export type LocalCatalog = z.infer<typeof catalogFile>
export type LocalBranch = LocalCatalog['branches'][number]

/** The one project of a local stack: ids, names of branches, secrets. Made at the first start, before anything is created by it. */
export async function openLocalCatalog(options: { path: string; disk: Disk; random: Random }): Promise<LocalCatalog> {
  const bytes = await options.disk.readFile(options.path)
  if (bytes) return parseCatalog(options.path, bytes)
  const { random } = options
  const catalog: LocalCatalog = {
    formatVersion: 1,
    projectId: ProjectId.parse(hexId(random.bytes(16))),
    postgresPassword: hexId(random.bytes(16)),
    adminToken: hexId(random.bytes(24)),
    branches: [{ name: 'main', timelineId: newTimelineId(random), parent: null }],
  }
  await saveLocalCatalog(options, catalog)
  return catalog
}

export async function saveLocalCatalog(options: { path: string; disk: Disk }, catalog: LocalCatalog): Promise<void> {
  await options.disk.writeFileAtomic(options.path, Buffer.from(`${JSON.stringify(catalog, null, 2)}\n`))
  fs.chmodSync(options.path, 0o600)
}

export function newTimelineId(random: Random): TimelineId {
  return TimelineId.parse(hexId(random.bytes(16)))
}

/** Throws `invalid-input` for a name that is no branch name, `conflict` for one that is taken. */
export function checkNewBranchName(catalog: LocalCatalog, name: string): void {
  if (!branchName.safeParse(name).success) throw new StorageError('invalid-input', 'name: not a branch name', { name })
  if (catalog.branches.some((branch) => branch.name === name))
    throw new StorageError('conflict', 'name: taken', { name })
}

/** One that is still being made is not there yet. */
export function findBranch(catalog: LocalCatalog, name: string): LocalBranch {
  const found = catalog.branches.find((branch) => branch.name === name && !branch.isPending)
  if (!found) throw new StorageError('not-found', 'no such branch', { name })
  return found
}

function parseCatalog(path: string, bytes: Uint8Array): LocalCatalog {
  try {
    return catalogFile.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch (error) {
    throw new CorruptionError('catalog of the local stack is damaged', { path }, { cause: error })
  }
}
