import type { RelationFork } from '../postgres/relation.ts'

/**
 * What a mount holds at the start: the database directories, the small files that come whole, and the relations whose
 * pages are fetched when they are read. Structured-clonable: it goes to the reader thread.
 */
export interface FuseSeed {
  /** Owner of everything in the mount: the account Postgres runs as. */
  readonly uid: number
  readonly gid: number
  /** Parents first, relative to the mount: 'base', 'base/1', 'global'. */
  readonly directories: readonly string[]
  readonly files: readonly SeedFile[]
  readonly relations: readonly SeedRelation[]
}

export interface SeedFile {
  readonly path: string
  /** Permission bits. */
  readonly mode: number
  readonly bytes: Uint8Array
}

export interface SeedRelation extends RelationFork {
  readonly blockCount: number
}
