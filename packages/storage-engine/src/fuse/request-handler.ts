import { PAGE_SIZE } from '../postgres/constants.ts'
import { type DirectoryNode, errnoOf, type FileNode, type FileTree, TreeError, type TreeNode } from './file-tree.ts'
import * as protocol from './fuse-protocol.ts'
import { Errno, Opcode, readName, readU64, SetattrField } from './fuse-protocol.ts'
import { ControlWord, type ReaderMessage } from './miss-messages.ts'
import type { Overlay } from './overlay.ts'

const { REPLY_HEADER_BYTES, TRANSFER_BYTES_MAX, WRITE_DATA_OFFSET } = protocol
const BODY_WORD = REPLY_HEADER_BYTES / 4
const encoder = new TextEncoder()

/**
 * Answers kernel requests on the reader thread: names and attributes from the tree, present pages from the overlay. What
 * needs the PageServer is posted and answered by the main thread later; this thread never waits for the network.
 *
 * Operations not listed get ENOSYS, after which the kernel never sends them again on this mount: FLUSH, FSYNC (the WAL
 * quorum is the durability, these files are disposable), ACCESS, extended attributes, locks, LSEEK, COPY_FILE_RANGE.
 */
export class RequestHandler {
  readonly #tree: FileTree
  readonly #overlay: Overlay
  readonly #reply: Uint8Array
  readonly #words: Uint32Array
  readonly #send: (reply: Uint8Array, byteCount: number) => void
  readonly #post: (message: ReaderMessage) => void
  readonly #counts: Int32Array
  readonly #listings = new Map<number, TreeNode[]>()
  #nextHandle = 1
  #uniqueLow = 0
  #uniqueHigh = 0

  constructor(options: {
    tree: FileTree
    overlay: Overlay
    send: (reply: Uint8Array, byteCount: number) => void
    post: (message: ReaderMessage) => void
    counts: Int32Array
  }) {
    this.#tree = options.tree
    this.#overlay = options.overlay
    this.#send = options.send
    this.#post = options.post
    this.#counts = options.counts
    const buffer = new ArrayBuffer(REPLY_HEADER_BYTES + TRANSFER_BYTES_MAX + 4096)
    this.#reply = new Uint8Array(buffer)
    this.#words = new Uint32Array(buffer)
  }

  /** One request; `bytes` and `words` view the same memory, which may be reused on return. */
  handle(bytes: Uint8Array, words: Uint32Array): void {
    const opcode = words[1]!
    this.#uniqueLow = words[2]!
    this.#uniqueHigh = words[3]!
    this.#counts[ControlWord.opcodes + (opcode & 63)]!++
    try {
      this.#dispatch(opcode, readU64(words, 4), bytes, words)
    } catch (error) {
      this.#fail(errnoOf(error))
      if (!(error instanceof TreeError)) this.#post({ kind: 'failure', text: `opcode ${opcode}: ${String(error)}` })
    }
  }

  #dispatch(opcode: number, nodeId: number, bytes: Uint8Array, words: Uint32Array): undefined {
    switch (opcode) {
      case Opcode.read:
        return this.#read(this.#tree.file(nodeId), readU64(words, 12), words[14]!)
      case Opcode.write:
        return this.#write(this.#tree.file(nodeId), bytes, readU64(words, 12), words[14]!)
      case Opcode.lookup:
        return this.#lookup(this.#tree.directory(nodeId), readName(bytes, 40).name)
      case Opcode.forget:
        return this.#forget(nodeId, readU64(words, 10))
      case Opcode.batchForget:
        for (let i = 0, at = 12; i < words[10]!; i++, at += 4) this.#forget(readU64(words, at), readU64(words, at + 2))
        return
      case Opcode.getattr:
        return this.#attributes(this.#tree.node(nodeId))
      case Opcode.setattr:
        return this.#setattr(this.#tree.node(nodeId), words)
      case Opcode.mkdir:
        return this.#entry(
          this.#tree.makeDirectory(this.#tree.directory(nodeId), readName(bytes, 48).name, words[10]!, owner(words)),
        )
      case Opcode.mknod:
        return this.#entry(
          this.#tree.createFile(this.#tree.directory(nodeId), readName(bytes, 56).name, words[10]!, owner(words)),
        )
      case Opcode.create:
        return this.#create(this.#tree.directory(nodeId), readName(bytes, 56).name, words)
      case Opcode.open:
        this.#tree.file(nodeId)
        protocol.writeOpenOut(this.#words, BODY_WORD, 0, protocol.OPEN_FLAGS)
        return this.#ok(protocol.OPEN_BYTES)
      case Opcode.unlink:
        this.#dropIfUnused(this.#tree.unlink(this.#tree.directory(nodeId), readName(bytes, 40).name))
        return this.#ok(0)
      case Opcode.rmdir:
        this.#dropIfUnused(this.#tree.removeDirectory(this.#tree.directory(nodeId), readName(bytes, 40).name))
        return this.#ok(0)
      case Opcode.rename:
        return this.#rename(nodeId, bytes, words, 48)
      case Opcode.rename2:
        if (words[12] !== 0) throw new TreeError(Errno.EINVAL)
        return this.#rename(nodeId, bytes, words, 56)
      case Opcode.fallocate:
        return this.#fallocate(this.#tree.file(nodeId), words)
      case Opcode.opendir:
        return this.#opendir(this.#tree.directory(nodeId))
      case Opcode.readdir:
        return this.#readdir(this.#tree.directory(nodeId), readU64(words, 10), readU64(words, 12), words[14]!)
      case Opcode.releasedir:
        this.#listings.delete(readU64(words, 10))
        return this.#ok(0)
      case Opcode.release:
      case Opcode.destroy:
        return this.#ok(0)
      case Opcode.statfs:
        protocol.writeStatfs(this.#words, BODY_WORD)
        return this.#ok(protocol.STATFS_BYTES)
      case Opcode.init:
        protocol.writeInitOut(this.#words, BODY_WORD, words)
        return this.#ok(protocol.INIT_BYTES)
      case Opcode.interrupt:
        return
      default:
        return this.#fail(Errno.ENOSYS)
    }
  }

  #read(file: FileNode, offset: number, byteCount: number): undefined {
    const wanted = Math.min(byteCount, file.sizeBytes - offset)
    if (wanted <= 0) return this.#ok(0)
    const presence = this.#overlay.presence(file)
    if (presence) {
      const first = Math.floor(offset / PAGE_SIZE)
      const end = Math.ceil((offset + wanted) / PAGE_SIZE)
      if (presence.firstAbsent(first, end) < end) {
        this.#counts[ControlWord.readMisses]!++
        this.#post({
          kind: 'read-miss',
          nodeId: file.id,
          uniqueLow: this.#uniqueLow,
          uniqueHigh: this.#uniqueHigh,
          offset,
          byteCount: wanted,
        })
        return
      }
      if (presence.takeMark(first, end)) this.#post({ kind: 'mark-reached', nodeId: file.id, endPage: end })
    }
    this.#counts[ControlWord.readHits]!++
    this.#ok(this.#overlay.read(file, this.#reply, REPLY_HEADER_BYTES, wanted, offset))
  }

  #write(file: FileNode, bytes: Uint8Array, position: number, byteCount: number): undefined {
    const toFill = this.#overlay.pagesToFillForWrite(file, position, byteCount)
    this.#words[BODY_WORD] = byteCount
    this.#words[BODY_WORD + 1] = 0
    if (toFill.length > 0) {
      const data = bytes.slice(WRITE_DATA_OFFSET, WRITE_DATA_OFFSET + byteCount)
      file.sizeBytes = Math.max(file.sizeBytes, position + byteCount)
      this.#tree.modified(file)
      return this.#deferReply(file, toFill, { kind: 'write', position, data }, 8)
    }
    this.#words[BODY_WORD] = this.#overlay.write(file, bytes, WRITE_DATA_OFFSET, byteCount, position)
    this.#tree.modified(file)
    this.#ok(8)
  }

  #setattr(node: TreeNode, words: Uint32Array): undefined {
    const valid = words[10]!
    if (valid & SetattrField.mode) this.#tree.setMode(node, words[27]!)
    if (valid & SetattrField.uid) node.uid = words[29]!
    if (valid & SetattrField.gid) node.gid = words[30]!
    if (valid & SetattrField.atime && !(valid & SetattrField.atimeNow)) node.atimeMs = timeMs(words, 18, 24)
    if (valid & SetattrField.size) {
      if (node.kind !== 'file') throw new TreeError(Errno.EISDIR)
      const sizeBytes = readU64(words, 14)
      const toFill = this.#overlay.pageToFillForTruncate(node, sizeBytes)
      if (toFill !== undefined) {
        node.sizeBytes = sizeBytes
        this.#tree.modified(node)
        protocol.writeAttrOut(this.#words, BODY_WORD, this.#tree.attributes(node))
        return this.#deferReply(node, [toFill], { kind: 'truncate', sizeBytes }, protocol.ATTR_BYTES)
      }
      this.#overlay.resize(node, sizeBytes)
      this.#tree.modified(node)
    }
    if (valid & SetattrField.mtime && !(valid & SetattrField.mtimeNow)) node.mtimeMs = timeMs(words, 20, 25)
    this.#attributes(node)
  }

  #fallocate(file: FileNode, words: Uint32Array): undefined {
    if (words[16] !== 0) throw new TreeError(Errno.EOPNOTSUPP)
    const end = readU64(words, 12) + readU64(words, 14)
    if (end > file.sizeBytes) this.#overlay.resize(file, end)
    this.#tree.modified(file)
    this.#ok(0)
  }

  #lookup(directory: DirectoryNode, name: string): undefined {
    const node = directory.children.get(name)
    if (node) return this.#entry(node)
    protocol.writeNegativeEntry(this.#words, BODY_WORD)
    this.#ok(protocol.ENTRY_BYTES)
  }

  #create(directory: DirectoryNode, name: string, words: Uint32Array): undefined {
    const file = this.#tree.createFile(directory, name, words[11]!, owner(words))
    file.lookupCount++
    protocol.writeEntry(this.#words, BODY_WORD, this.#tree.attributes(file))
    protocol.writeOpenOut(this.#words, BODY_WORD + protocol.ENTRY_BYTES / 4, 0, protocol.OPEN_FLAGS)
    this.#ok(protocol.ENTRY_BYTES + protocol.OPEN_BYTES)
  }

  #rename(nodeId: number, bytes: Uint8Array, words: Uint32Array, namesAt: number): undefined {
    const oldName = readName(bytes, namesAt)
    const newName = readName(bytes, oldName.next)
    const from = this.#tree.directory(nodeId)
    const replaced = this.#tree.rename(from, oldName.name, this.#tree.directory(readU64(words, 10)), newName.name)
    if (replaced) this.#dropIfUnused(replaced)
    this.#ok(0)
  }

  #opendir(directory: DirectoryNode): undefined {
    const handle = this.#nextHandle++
    this.#listings.set(handle, [...directory.children.values()])
    protocol.writeOpenOut(this.#words, BODY_WORD, handle, 0)
    this.#ok(protocol.OPEN_BYTES)
  }

  /** The listing is that of the open, or of the last rewind: entries 0 and 1 are '.' and '..'. */
  #readdir(directory: DirectoryNode, handle: number, cookie: number, byteCount: number): undefined {
    if (cookie === 0) this.#listings.set(handle, [...directory.children.values()])
    const listing = this.#listings.get(handle) ?? []
    let at = REPLY_HEADER_BYTES
    for (let i = cookie; i < listing.length + 2; i++) {
      const node = i === 0 ? directory : i === 1 ? (directory.parent ?? directory) : listing[i - 2]!
      if (i >= 2 && node.parent !== directory) continue
      const name = encoder.encode(i === 0 ? '.' : i === 1 ? '..' : node.name)
      const size = protocol.direntBytes(name.length)
      if (at + size > REPLY_HEADER_BYTES + byteCount) break
      protocol.writeDirent(this.#reply, this.#words, at, { nodeId: node.id, cookie: i + 1, mode: node.mode, name })
      at += size
    }
    this.#ok(at - REPLY_HEADER_BYTES)
  }

  #attributes(node: TreeNode): undefined {
    protocol.writeAttrOut(this.#words, BODY_WORD, this.#tree.attributes(node))
    this.#ok(protocol.ATTR_BYTES)
  }

  #entry(node: TreeNode): undefined {
    node.lookupCount++
    protocol.writeEntry(this.#words, BODY_WORD, this.#tree.attributes(node))
    this.#ok(protocol.ENTRY_BYTES)
  }

  #forget(nodeId: number, count: number): undefined {
    let node: TreeNode
    try {
      node = this.#tree.node(nodeId)
    } catch {
      return
    }
    if (this.#tree.forget(nodeId, count)) this.#dropBytes(node)
  }

  #dropIfUnused(node: TreeNode): undefined {
    if (this.#tree.dropIfUnused(node)) this.#dropBytes(node)
  }

  #dropBytes(node: TreeNode): undefined {
    if (node.kind !== 'file') return
    this.#overlay.drop(node)
    if (node.remote) this.#post({ kind: 'segment-dropped', nodeId: node.id })
  }

  /** The reply that is in the buffer goes out after the main thread has made the change. */
  #deferReply(
    file: FileNode,
    pages: readonly number[],
    change: Extract<ReaderMessage, { kind: 'change-after-fill' }>['change'],
    bodyBytes: number,
  ): undefined {
    const length = REPLY_HEADER_BYTES + bodyBytes
    protocol.writeReplyHeader(this.#words, length, 0, this.#uniqueLow, this.#uniqueHigh)
    const reply = this.#reply.slice(0, length)
    this.#post({ kind: 'change-after-fill', nodeId: file.id, pages, change, reply })
  }

  #ok(bodyBytes: number): undefined {
    const length = REPLY_HEADER_BYTES + bodyBytes
    protocol.writeReplyHeader(this.#words, length, 0, this.#uniqueLow, this.#uniqueHigh)
    this.#send(this.#reply, length)
  }

  #fail(errno: number): undefined {
    protocol.writeReplyHeader(this.#words, REPLY_HEADER_BYTES, errno, this.#uniqueLow, this.#uniqueHigh)
    this.#send(this.#reply, REPLY_HEADER_BYTES)
  }
}

function owner(words: Uint32Array): { uid: number; gid: number } {
  return { uid: words[6]!, gid: words[7]! }
}

function timeMs(words: Uint32Array, secondsAt: number, nanosecondsAt: number): number {
  return readU64(words, secondsAt) * 1000 + words[nanosecondsAt]! / 1e6
}
