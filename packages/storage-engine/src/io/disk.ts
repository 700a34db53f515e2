/**
 * Local files as a seam. Paths are absolute. What is written is durable only after `sync`; a new or renamed name is
 * durable only after `syncDirectory`. The simulator drops or tears everything else at a crash.
 *
 * The `…Now` methods run on the calling thread. They are for reads and writes of at most a few hundred KiB on hot paths,
 * where a trip through the thread pool costs more than the call itself.
 */
export interface Disk {
  open(path: string, mode: DiskOpenMode): Promise<DiskFile>
  openNow(path: string, mode: DiskOpenMode): DiskFile
  /** Whole file, or undefined when there is none. */
  readFile(path: string): Promise<Uint8Array | undefined>
  /** Replaces the file whole: temporary file, sync, rename, directory sync. A crash leaves the old or the new content. */
  writeFileAtomic(path: string, bytes: Uint8Array): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Removing what is not there is no error. */
  remove(path: string): Promise<void>
  removeTree(path: string): Promise<void>
  makeDirectory(path: string): Promise<void>
  /** Names (not paths) of the entries, sorted; empty when the directory does not exist. */
  list(path: string): Promise<string[]>
  stat(path: string): Promise<{ sizeBytes: number; isDirectory: boolean } | undefined>
  syncDirectory(path: string): Promise<void>
}

/**
 * Whoever writes a large file syncs it each time that it has written so much. A journaling file system makes every other
 * sync wait for the data of its transaction, of whatever file: one large sync at the end is a pause for all.
 */
export const SYNC_STEP_BYTES = 4 * 1024 * 1024

/** `read`: must exist. `write`: opened for reading and writing, made when missing. `create`: must not exist. */
export type DiskOpenMode = 'read' | 'write' | 'create'

export interface DiskFile {
  readonly path: string
  /** Fills `target` from `position`; returns the bytes read, fewer only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>
  readNow(target: Uint8Array, position: number): number
  write(bytes: Uint8Array, position: number): Promise<void>
  writeNow(bytes: Uint8Array, position: number): void
  /** fdatasync. After a failure the file's unsynced content is unknown: close it and recover. */
  sync(): Promise<void>
  syncNow(): void
  truncate(sizeBytes: number): Promise<void>
  sizeBytes(): number
  /** Idempotent. */
  close(): Promise<void>
}
