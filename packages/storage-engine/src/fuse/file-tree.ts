import { PAGE_SIZE } from '../postgres/constants.ts'
import type { RelationFork } from '../postgres/relation.ts'
import { formatRelationPath } from '../postgres/relation-path.ts'
import type { FileAttributes } from './fuse-protocol.ts'
import { Errno, ROOT_NODE_ID } from './fuse-protocol.ts'
import type { FuseSeed } from './fuse-seed.ts'
import { segmentBlockCounts } from './path-map.ts'

/**
 * Names, sizes and attributes of the mount, all in memory: it lives exactly as long as its compute, so there is nothing
 * to persist, and LOOKUP, GETATTR or RENAME never touch a disk. File bytes are the overlay's (overlay.ts), under the node
 * id, which is never used twice; so a rename moves no data and an unlinked file stays readable for who has it open.
 */
export interface DirectoryNode extends NodeBase {
  readonly kind: 'directory'
  readonly children: Map<string, TreeNode>
}

export interface FileNode extends NodeBase {
  readonly kind: 'file'
  sizeBytes: number
  /** Content that comes whole with the seed and is not in the overlay yet. */
  seed: Uint8Array | undefined
  /** Where the pages of this file come from; undefined for what is only local. */
  readonly remote: RemoteSegment | undefined
}

export type TreeNode = DirectoryNode | FileNode

interface NodeBase {
  readonly id: number
  name: string
  parent: DirectoryNode | undefined
  /** st_mode with the type bits. */
  mode: number
  uid: number
  gid: number
  atimeMs: number
  mtimeMs: number
  ctimeMs: number
  /** References the kernel holds (LOOKUP minus FORGET). */
  lookupCount: number
}

export interface RemoteSegment {
  readonly relation: RelationFork
  /** Block of the fork that stands at offset 0 of the file. */
  readonly firstBlock: number
  /** Blocks of this segment at the boot LSN. */
  readonly blockCount: number
}

const DIRECTORY_TYPE = 0o040000
const FILE_TYPE = 0o100000
const PERMISSION_BITS = 0o7777

/** An errno for the kernel, thrown out of a tree operation. */
export class TreeError extends Error {
  override readonly name = 'TreeError'
  readonly errno: number

  constructor(errno: number) {
    super(`errno ${errno}`)
    this.errno = errno
  }
}

/** File system errors carry a negative errno; anything else is an I/O error to the kernel. */
export function errnoOf(error: unknown): number {
  if (error instanceof TreeError) return error.errno
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') return Math.abs(error.errno)
  return Errno.EIO
}

export interface Ownership {
  readonly uid: number
  readonly gid: number
}

export class FileTree {
  readonly #nodes = new Map<number, TreeNode>()
  readonly #nowMs: () => number
  readonly root: DirectoryNode
  #nextId = ROOT_NODE_ID + 1

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
    this.root = this.#newDirectory(ROOT_NODE_ID, '', 0o700, { uid: 0, gid: 0 })
    this.#nodes.set(ROOT_NODE_ID, this.root)
  }

  /** Adds the seed's entries. The mount is empty and unused by then. */
  plant(seed: FuseSeed): void {
    this.root.uid = seed.uid
    this.root.gid = seed.gid
    for (const path of seed.directories) {
      const { directory, name } = this.#parentOf(path)
      this.makeDirectory(directory, name, 0o700, seed)
    }
    for (const file of seed.files) {
      const { directory, name } = this.#parentOf(file.path)
      this.#addFile(directory, name, file.mode, seed, { sizeBytes: file.bytes.length, seed: file.bytes })
    }
    for (const relation of seed.relations) {
      let firstBlock = 0
      segmentBlockCounts(relation.blockCount).forEach((blockCount, segment) => {
        const remote = blockCount === 0 ? undefined : { relation, firstBlock, blockCount }
        const { directory, name } = this.#parentOf(formatRelationPath(relation, segment))
        this.#addFile(directory, name, 0o600, seed, {
          sizeBytes: blockCount * PAGE_SIZE,
          remote,
        })
        firstBlock += blockCount
      })
    }
  }

  node(id: number): TreeNode {
    const node = this.#nodes.get(id)
    if (!node) throw new TreeError(Errno.ENOENT)
    return node
  }

  file(id: number): FileNode {
    const node = this.node(id)
    if (node.kind !== 'file') throw new TreeError(Errno.EISDIR)
    return node
  }

  directory(id: number): DirectoryNode {
    const node = this.node(id)
    if (node.kind !== 'directory') throw new TreeError(Errno.ENOTDIR)
    return node
  }

  attributes(node: TreeNode): FileAttributes {
    return {
      nodeId: node.id,
      sizeBytes: node.kind === 'file' ? node.sizeBytes : 4096,
      mode: node.mode,
      linkCount: node.parent === undefined && node !== this.root ? 0 : node.kind === 'directory' ? 2 : 1,
      uid: node.uid,
      gid: node.gid,
      atimeMs: node.atimeMs,
      mtimeMs: node.mtimeMs,
      ctimeMs: node.ctimeMs,
    }
  }

  createFile(directory: DirectoryNode, name: string, mode: number, owner: Ownership): FileNode {
    if (directory.children.has(name)) throw new TreeError(Errno.EEXIST)
    const file = this.#addFile(directory, name, mode, owner, { sizeBytes: 0 })
    this.#touch(directory)
    return file
  }

  makeDirectory(parent: DirectoryNode, name: string, mode: number, owner: Ownership): DirectoryNode {
    if (parent.children.has(name)) throw new TreeError(Errno.EEXIST)
    const made = this.#newDirectory(this.#nextId++, name, mode, owner)
    this.#attach(parent, made)
    this.#touch(parent)
    return made
  }

  unlink(directory: DirectoryNode, name: string): TreeNode {
    const node = this.#child(directory, name)
    if (node.kind === 'directory') throw new TreeError(Errno.EISDIR)
    return this.#detach(node)
  }

  removeDirectory(parent: DirectoryNode, name: string): TreeNode {
    const node = this.#child(parent, name)
    if (node.kind !== 'directory') throw new TreeError(Errno.ENOTDIR)
    if (node.children.size > 0) throw new TreeError(Errno.ENOTEMPTY)
    return this.#detach(node)
  }

  /** Returns the node that stood at the target and is gone now. */
  rename(from: DirectoryNode, oldName: string, to: DirectoryNode, newName: string): TreeNode | undefined {
    const node = this.#child(from, oldName)
    const target = to.children.get(newName)
    if (target === node) return undefined
    for (let above: DirectoryNode | undefined = to; above; above = above.parent) {
      if (above === node) throw new TreeError(Errno.EINVAL)
    }
    if (target) {
      if (node.kind === 'directory' && target.kind !== 'directory') throw new TreeError(Errno.ENOTDIR)
      if (node.kind !== 'directory' && target.kind === 'directory') throw new TreeError(Errno.EISDIR)
      if (target.kind === 'directory' && target.children.size > 0) throw new TreeError(Errno.ENOTEMPTY)
      this.#detach(target)
    }
    from.children.delete(oldName)
    node.name = newName
    this.#attach(to, node)
    node.ctimeMs = this.#nowMs()
    this.#touch(from)
    this.#touch(to)
    return target
  }

  setMode(node: TreeNode, permissions: number): void {
    node.mode = (node.mode & ~PERMISSION_BITS) | (permissions & PERMISSION_BITS)
    node.ctimeMs = this.#nowMs()
  }

  modified(file: FileNode): void {
    const now = this.#nowMs()
    file.mtimeMs = now
    file.ctimeMs = now
  }

  /** True when the node is unlinked and the kernel has forgotten it: its bytes can go. */
  forget(id: number, count: number): boolean {
    const node = this.#nodes.get(id)
    if (!node || node === this.root) return false
    node.lookupCount -= count
    return this.dropIfUnused(node)
  }

  /** Removes an unlinked node that the kernel does not know (any more); true when it did. */
  dropIfUnused(node: TreeNode): boolean {
    if (node.parent !== undefined || node === this.root || node.lookupCount > 0) return false
    return this.#nodes.delete(node.id)
  }

  #addFile(
    directory: DirectoryNode,
    name: string,
    mode: number,
    owner: Ownership,
    content: { sizeBytes: number; seed?: Uint8Array; remote?: RemoteSegment | undefined },
  ): FileNode {
    const node: FileNode = {
      ...this.#newBase(this.#nextId++, name, FILE_TYPE | (mode & PERMISSION_BITS), owner),
      kind: 'file',
      sizeBytes: content.sizeBytes,
      seed: content.seed,
      remote: content.remote,
    }
    this.#attach(directory, node)
    return node
  }

  #newDirectory(id: number, name: string, mode: number, owner: Ownership): DirectoryNode {
    return {
      ...this.#newBase(id, name, DIRECTORY_TYPE | (mode & PERMISSION_BITS), owner),
      kind: 'directory',
      children: new Map(),
    }
  }

  #newBase(id: number, name: string, mode: number, owner: Ownership): NodeBase {
    const now = this.#nowMs()
    return {
      id,
      name,
      parent: undefined,
      mode,
      uid: owner.uid,
      gid: owner.gid,
      atimeMs: now,
      mtimeMs: now,
      ctimeMs: now,
      lookupCount: 0,
    }
  }

  #attach(directory: DirectoryNode, node: TreeNode): void {
    node.parent = directory
    directory.children.set(node.name, node)
    this.#nodes.set(node.id, node)
  }

  #detach(node: TreeNode): TreeNode {
    const { parent } = node
    if (parent) {
      parent.children.delete(node.name)
      this.#touch(parent)
    }
    node.parent = undefined
    node.ctimeMs = this.#nowMs()
    return node
  }

  #touch(directory: DirectoryNode): void {
    const now = this.#nowMs()
    directory.mtimeMs = now
    directory.ctimeMs = now
  }

  #child(directory: DirectoryNode, name: string): TreeNode {
    const node = directory.children.get(name)
    if (!node) throw new TreeError(Errno.ENOENT)
    return node
  }

  #parentOf(path: string): { directory: DirectoryNode; name: string } {
    const slash = path.lastIndexOf('/')
    return { directory: this.#directoryAt(path.slice(0, Math.max(slash, 0))), name: path.slice(slash + 1) }
  }

  #directoryAt(path: string): DirectoryNode {
    let directory = this.root
    if (path === '') return directory
    for (const part of path.split('/')) {
      const child = directory.children.get(part)
      if (child?.kind !== 'directory') throw new TreeError(Errno.ENOENT)
      directory = child
    }
    return directory
  }
}
