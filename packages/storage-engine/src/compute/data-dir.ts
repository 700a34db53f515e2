import * as fs from 'node:fs'
import * as path from 'node:path'
import { StorageError } from '../base/errors.ts'
import { PAGE_SIZE, WAL_SEGMENT_SIZE, WAL_TIMELINE } from '../postgres/constants.ts'
import { Fork, type RelationFork } from '../postgres/relation.ts'
import { formatDatabaseDirectory, formatRelationPath } from '../postgres/relation-path.ts'
import type { BootBundle } from '../protocol/boot-bundle.ts'
import { formatSegmentName } from '../wal/segment.ts'
import { PG_HBA } from './postgres-settings.ts'
import type { SynthesizedCheckpoint } from './synth-checkpoint.ts'

/** The account Postgres runs as: it refuses to be root. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

export interface SeedFile {
  readonly path: string
  readonly mode: number
  readonly bytes: Uint8Array
}

export interface RelationOfSize extends RelationFork {
  readonly blockCount: number
}

/** base/ and global/ at the boot LSN: what comes whole, and the relations whose pages are fetched. */
export interface RelationTree {
  /** Parents first. */
  readonly directories: readonly string[]
  readonly files: readonly SeedFile[]
  readonly relations: readonly RelationOfSize[]
}

const DIRECTORIES = [
  'pg_wal',
  'pg_wal/archive_status',
  'pg_wal/summaries',
  'pg_xact',
  'pg_multixact',
  'pg_multixact/offsets',
  'pg_multixact/members',
  'pg_subtrans',
  'pg_commit_ts',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_dynshmem',
  'pg_replslot',
  'pg_twophase',
  'pg_tblspc',
  'pg_stat',
  'pg_stat_tmp',
  'pg_logical',
  'pg_logical/snapshots',
  'pg_logical/mappings',
]

/** pg_control is among the files: it appears together with everything else, for exactly this start. */
export function relationTreeOf(bundle: BootBundle, checkpoint: SynthesizedCheckpoint): RelationTree {
  const { header } = bundle
  const directories = ['base', 'global', 'base/pgsql_tmp']
  for (const { dbOid, spcOid } of header.databases) {
    const directory = formatDatabaseDirectory(spcOid, dbOid)
    if (!isInMount(`${directory}/`)) throw new StorageError('unsupported', 'tablespaces are not served', { spcOid })
    if (!directories.includes(directory)) directories.push(directory)
  }
  const files: SeedFile[] = bundle.files.filter((file) => isInMount(file.path))
  const byPath = new Map(files.map((file) => [file.path, file]))
  for (const unlogged of header.unlogged) {
    const init = byPath.get(formatRelationPath({ ...unlogged, fork: Fork.init }))
    if (init) files.push({ ...init, path: formatRelationPath({ ...unlogged, fork: Fork.main }) })
  }
  files.push({ path: 'global/pg_control', mode: 0o600, bytes: checkpoint.controlFile })

  const present = new Set(files.map((file) => file.path))
  const relations: RelationOfSize[] = []
  for (const [spcOid, dbOid, relNumber, ...blocksByFork] of header.relations) {
    blocksByFork.forEach((blockCount, fork) => {
      const relation = { spcOid, dbOid, relNumber, fork: fork as Fork }
      if (blockCount >= 0 && !present.has(formatRelationPath(relation))) relations.push({ ...relation, blockCount })
    })
  }
  return { directories, files, relations }
}

export interface DataDirOptions {
  readonly folder: string
  readonly account: Account | undefined
  readonly bundle: BootBundle
  readonly checkpoint: SynthesizedCheckpoint
  readonly postgresConf: string
  /** Where base/ and global/ are to be found; undefined: in the data directory itself, written by hydrate. */
  readonly mountPath: string | undefined
  /** Starts as a standby that nothing feeds: reads only, at the boot LSN. */
  readonly readOnly: boolean
}

/** Writes everything outside base/ and global/. The folder must be new. A few dozen small files: synchronous on purpose. */
export function writeDataDir(options: DataDirOptions): void {
  const { folder, account } = options
  const own = (target: string): void => {
    if (account) fs.lchownSync(target, account.uid, account.gid)
  }
  const makeDirectory = (relative: string): void => {
    const target = path.join(folder, relative)
    fs.mkdirSync(target, { mode: 0o700 })
    own(target)
  }
  const writeFile = (relative: string, bytes: Uint8Array | string, mode = 0o600): void => {
    const target = path.join(folder, relative)
    fs.writeFileSync(target, bytes, { mode, flag: 'wx' })
    own(target)
  }
  fs.mkdirSync(folder, { mode: 0o700 })
  own(folder)
  for (const directory of DIRECTORIES) makeDirectory(directory)
  for (const file of options.bundle.files) {
    if (isInMount(file.path)) continue
    const parent = path.dirname(file.path)
    if (parent !== '.' && !DIRECTORIES.includes(parent)) {
      throw new StorageError('unsupported', 'boot bundle has a file in an unknown directory', { path: file.path })
    }
    writeFile(file.path, file.bytes, file.mode & 0o777)
  }
  writeFile('postgresql.conf', options.postgresConf)
  writeFile('pg_hba.conf', PG_HBA)
  writeFile('pg_ident.conf', '')
  for (const segment of options.checkpoint.segments) {
    const name = `pg_wal/${formatSegmentName(WAL_TIMELINE, segment.startLsn)}`
    writeFile(name, segment.bytes)
    fs.truncateSync(path.join(folder, name), WAL_SEGMENT_SIZE)
  }
  if (options.readOnly) writeFile('standby.signal', '')
  if (options.mountPath !== undefined) {
    for (const name of ['base', 'global']) {
      fs.symlinkSync(path.join(options.mountPath, name), path.join(folder, name))
      own(path.join(folder, name))
    }
  }
}

function isInMount(relative: string): boolean {
  return relative.startsWith('base/') || relative.startsWith('global/')
}

export function relationTreeBytes(tree: RelationTree): number {
  return tree.relations.reduce((sum, relation) => sum + relation.blockCount * PAGE_SIZE, 0)
}
