import { PAGE_SIZE } from '../postgres/constants.ts'
import { type FileNode, TreeError } from './file-tree.ts'
import { Errno } from './fuse-protocol.ts'
import { PagePresence } from './page-presence.ts'

/** Local files as the overlay needs them, on the calling thread. The production half is in fuse-device.ts. */
export interface CacheFiles {
  /** Opens for reading and writing; makes it when missing and `create` is set. */
  open(path: string, create: boolean): number
  read(descriptor: number, target: Uint8Array, targetOffset: number, byteCount: number, position: number): number
  write(descriptor: number, source: Uint8Array, sourceOffset: number, byteCount: number, position: number): number
  writeMany(descriptor: number, sources: readonly Uint8Array[], position: number): number
  truncate(descriptor: number, sizeBytes: number): void
  close(descriptor: number): void
  remove(path: string): void
}

/** Descriptors each of the two threads keeps open at once; more are closed in the order they were opened. */
const OPEN_FILES_MAX = 1024

/** Cache files of one thread, by node id. Both threads have their own descriptors of the same files. */
export class CacheFolder {
  readonly files: CacheFiles
  readonly #folder: string
  readonly #descriptors = new Map<number, number>()

  constructor(files: CacheFiles, folder: string) {
    this.files = files
    this.#folder = folder
  }

  /** Throws the file system's error, ENOENT without `create` for a file that is gone. */
  descriptor(nodeId: number, create: boolean): number {
    const known = this.#descriptors.get(nodeId)
    if (known !== undefined) return known
    const descriptor = this.files.open(this.#path(nodeId), create)
    this.#descriptors.set(nodeId, descriptor)
    if (this.#descriptors.size > OPEN_FILES_MAX) {
      for (const oldest of this.#descriptors.keys()) {
        this.close(oldest)
        break
      }
    }
    return descriptor
  }

  close(nodeId: number): void {
    const descriptor = this.#descriptors.get(nodeId)
    if (descriptor === undefined) return
    this.#descriptors.delete(nodeId)
    this.files.close(descriptor)
  }

  remove(nodeId: number): void {
    this.close(nodeId)
    this.files.remove(this.#path(nodeId))
  }

  closeAll(): void {
    for (const nodeId of [...this.#descriptors.keys()]) this.close(nodeId)
  }

  #path(nodeId: number): string {
    return `${this.#folder}/${nodeId}`
  }
}

/**
 * The bytes of the mount's files on the reader thread: one sparse cache file per opened file, made when it is first
 * needed and as long as the file itself. Pages of a relation that Postgres has not written and nobody has fetched are
 * holes in it; which those are is in the segment's PagePresence.
 */
export class Overlay {
  readonly #folder: CacheFolder
  readonly #made = new Set<number>()
  readonly #presence = new Map<number, PagePresence>()
  /** Called once for each remote segment, before its first miss. */
  readonly #onRemoteOpened: (file: FileNode, presence: SharedArrayBuffer) => void

  constructor(folder: CacheFolder, onRemoteOpened: (file: FileNode, presence: SharedArrayBuffer) => void) {
    this.#folder = folder
    this.#onRemoteOpened = onRemoteOpened
  }

  presence(file: FileNode): PagePresence | undefined {
    if (!file.remote) return undefined
    const known = this.#presence.get(file.id)
    if (known) return known
    this.#descriptor(file)
    const buffer = PagePresence.allocate(file.remote.blockCount)
    const made = new PagePresence(buffer)
    this.#presence.set(file.id, made)
    this.#onRemoteOpened(file, buffer)
    return made
  }

  /** Bytes read, fewer at the end of the file. The range must be present. */
  read(file: FileNode, target: Uint8Array, targetOffset: number, byteCount: number, position: number): number {
    const wanted = Math.min(byteCount, file.sizeBytes - position)
    if (wanted <= 0) return 0
    return this.#folder.files.read(this.#descriptor(file), target, targetOffset, wanted, position)
  }

  /** Pages that must be fetched before bytes [position, position + byteCount) can be written: partly covered and absent. */
  pagesToFillForWrite(file: FileNode, position: number, byteCount: number): number[] {
    const presence = this.presence(file)
    if (!presence) return []
    const end = position + byteCount
    const pages: number[] = []
    const firstPage = Math.floor(position / PAGE_SIZE)
    const lastPage = Math.floor((end - 1) / PAGE_SIZE)
    if (position % PAGE_SIZE !== 0 && !presence.isPresent(firstPage)) pages.push(firstPage)
    const reachesEnd = end % PAGE_SIZE === 0
    if (!reachesEnd && lastPage !== pages[0] && !presence.isPresent(lastPage)) pages.push(lastPage)
    return pages
  }

  /** Writes over whatever is there or on its way there; grows the file. */
  write(file: FileNode, source: Uint8Array, sourceOffset: number, byteCount: number, position: number): number {
    const descriptor = this.#descriptor(file)
    const presence = this.presence(file)
    const written = writeLocal(presence, position, byteCount, () =>
      this.#folder.files.write(descriptor, source, sourceOffset, byteCount, position),
    )
    file.sizeBytes = Math.max(file.sizeBytes, position + written)
    return written
  }

  /** The page to fetch before the file may end inside it, or undefined. */
  pageToFillForTruncate(file: FileNode, sizeBytes: number): number | undefined {
    const presence = this.presence(file)
    const page = Math.floor(sizeBytes / PAGE_SIZE)
    const isCut = sizeBytes % PAGE_SIZE !== 0 && sizeBytes < file.sizeBytes
    return presence && isCut && !presence.isPresent(page) ? page : undefined
  }

  /** Shortens or grows; what is cut off no longer comes from the PageServer, even when the file grows again. */
  resize(file: FileNode, sizeBytes: number): void {
    if (sizeBytes < file.sizeBytes) this.presence(file)?.makeLocal(Math.ceil(sizeBytes / PAGE_SIZE))
    this.#folder.files.truncate(this.#descriptor(file), sizeBytes)
    file.sizeBytes = sizeBytes
  }

  /** Deletes the bytes of a file that is unlinked and forgotten. */
  drop(file: FileNode): void {
    this.#presence.delete(file.id)
    if (this.#made.delete(file.id)) this.#folder.remove(file.id)
  }

  #descriptor(file: FileNode): number {
    if (this.#made.has(file.id)) return this.#folder.descriptor(file.id, false)
    const descriptor = this.#folder.descriptor(file.id, true)
    if (file.seed) {
      const written = this.#folder.files.write(descriptor, file.seed, 0, file.seed.length, 0)
      if (written !== file.seed.length) throw new TreeError(Errno.ENOSPC)
    }
    this.#folder.files.truncate(descriptor, file.sizeBytes)
    file.seed = undefined
    this.#made.add(file.id)
    return descriptor
  }
}

/**
 * Runs a write over pages that are local from now on. On a full disk it may fail or stop early: pages that it did not
 * fill and that were not here before must not pass for written.
 */
export function writeLocal(
  presence: PagePresence | undefined,
  position: number,
  byteCount: number,
  write: () => number,
): number {
  const first = Math.floor(position / PAGE_SIZE)
  const end = Math.ceil((position + byteCount) / PAGE_SIZE)
  const absent = presence?.absentOf(first, end) ?? []
  presence?.makeLocal(first, end)
  let written = 0
  try {
    written = write()
    return written
  } finally {
    if (written < byteCount) {
      for (const page of absent) if ((page + 1) * PAGE_SIZE > position + written) presence?.forget(page)
    }
  }
}
