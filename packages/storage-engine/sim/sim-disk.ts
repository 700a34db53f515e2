import { StorageError } from '../src/base/errors.ts'
import type { Disk, DiskFile, DiskOpenMode } from '../src/io/disk.ts'
import type { SimLife } from './sim-node.ts'
import type { SimRandom } from './sim-random.ts'

const BLOCK = 4096
const SECTOR = 512

/** Content in blocks; a missing block is zeros. Blocks are never changed in place once shared with the durable copy. */
interface Content {
  sizeBytes: number
  blocks: Map<number, Uint8Array>
}

class Inode {
  current: Content = { sizeBytes: 0, blocks: new Map() }
  durable: Content = { sizeBytes: 0, blocks: new Map() }
  readonly dirty = new Set<number>()

  write(bytes: Uint8Array, position: number): void {
    for (let at = 0; at < bytes.length; ) {
      const index = Math.floor((position + at) / BLOCK)
      const offset = (position + at) % BLOCK
      const length = Math.min(BLOCK - offset, bytes.length - at)
      let block = this.current.blocks.get(index)
      if (block === undefined || block === this.durable.blocks.get(index)) {
        block = block ? block.slice() : new Uint8Array(BLOCK)
        this.current.blocks.set(index, block)
      }
      block.set(bytes.subarray(at, at + length), offset)
      this.dirty.add(index)
      at += length
    }
    this.current.sizeBytes = Math.max(this.current.sizeBytes, position + bytes.length)
  }

  read(target: Uint8Array, position: number): number {
    const length = Math.max(0, Math.min(target.length, this.current.sizeBytes - position))
    for (let at = 0; at < length; ) {
      const index = Math.floor((position + at) / BLOCK)
      const offset = (position + at) % BLOCK
      const part = Math.min(BLOCK - offset, length - at)
      const block = this.current.blocks.get(index)
      if (block) target.set(block.subarray(offset, offset + part), at)
      else target.fill(0, at, at + part)
      at += part
    }
    return length
  }

  truncate(sizeBytes: number): void {
    for (const index of [...this.current.blocks.keys()]) {
      if (index * BLOCK >= sizeBytes) {
        this.current.blocks.delete(index)
        this.dirty.add(index)
      }
    }
    const rest = sizeBytes % BLOCK
    const last = this.current.blocks.get(Math.floor(sizeBytes / BLOCK))
    if (rest !== 0 && last) {
      const cut = last.slice()
      cut.fill(0, rest)
      this.current.blocks.set(Math.floor(sizeBytes / BLOCK), cut)
      this.dirty.add(Math.floor(sizeBytes / BLOCK))
    }
    this.current.sizeBytes = sizeBytes
  }

  sync(): void {
    for (const index of this.dirty) {
      const block = this.current.blocks.get(index)
      if (block) this.durable.blocks.set(index, block)
      else this.durable.blocks.delete(index)
    }
    this.durable.sizeBytes = this.current.sizeBytes
    this.dirty.clear()
  }

  /** As after a failed fdatasync: the pages count as clean, reads still find them in memory, and they are not on disk. */
  forgetDirty(): void {
    this.dirty.clear()
  }

  /** Of what was not synced, each sector comes out old or new as chance has it. */
  crash(random: SimRandom): void {
    const kept = new Map(this.durable.blocks)
    for (const index of this.dirty) {
      const fresh = this.current.blocks.get(index)
      const old = this.durable.blocks.get(index)
      const torn = old ? old.slice() : new Uint8Array(BLOCK)
      for (let at = 0; at < BLOCK; at += SECTOR) {
        if (!random.chance(0.5)) continue
        if (fresh) torn.set(fresh.subarray(at, at + SECTOR), at)
        else torn.fill(0, at, at + SECTOR)
      }
      kept.set(index, torn)
    }
    // A size is metadata: the journal has the old or the new one.
    const sizeBytes = random.chance(0.5) ? this.current.sizeBytes : this.durable.sizeBytes
    for (const index of kept.keys()) if (index * BLOCK >= sizeBytes) kept.delete(index)
    this.durable = { sizeBytes, blocks: kept }
    this.current = { sizeBytes, blocks: new Map(kept) }
    this.dirty.clear()
  }
}

/** What outlives a process: names and contents, current and durable. */
export class SimVolume {
  names = new Map<string, Inode>()
  directories = new Set<string>(['/'])
  #durableNames = new Map<string, Inode>()
  #durableDirectories = new Set<string>(['/'])

  syncDirectory(path: string): void {
    const inside = (name: string) => parentOf(name) === path
    for (const name of [...this.#durableNames.keys()]) if (inside(name)) this.#durableNames.delete(name)
    for (const [name, inode] of this.names) if (inside(name)) this.#durableNames.set(name, inode)
    for (const name of [...this.#durableDirectories]) {
      if (inside(name) && !this.directories.has(name)) this.#durableDirectories.delete(name)
    }
    for (const name of this.directories) {
      // A directory that is durable has a durable path: journals order these.
      if (inside(name)) for (let at = name; at !== '/'; at = parentOf(at)) this.#durableDirectories.add(at)
    }
    for (let at = path; at !== '/'; at = parentOf(at)) this.#durableDirectories.add(at)
  }

  /** Power is lost: names that were not synced are there or not, contents that were not synced are torn. */
  crash(random: SimRandom): void {
    const changedDirectories = new Map<string, boolean>()
    const keepsChanges = (directory: string): boolean => {
      const known = changedDirectories.get(directory)
      if (known !== undefined) return known
      const keeps = random.chance(0.5)
      changedDirectories.set(directory, keeps)
      return keeps
    }
    const names = new Map<string, Inode>()
    for (const name of [...new Set([...this.names.keys(), ...this.#durableNames.keys()])].sort()) {
      const current = this.names.get(name)
      const durable = this.#durableNames.get(name)
      const inode = current === durable || keepsChanges(parentOf(name)) ? current : durable
      if (inode) names.set(name, inode)
    }
    for (const inode of new Set(names.values())) inode.crash(random)
    this.names = names
    this.directories = new Set([...this.#durableDirectories, ...[...names.keys()].map(parentOf)])
    for (const name of [...this.directories])
      for (let at = name; at !== '/'; at = parentOf(at)) this.directories.add(at)
    this.#durableNames = new Map(names)
    this.#durableDirectories = new Set(this.directories)
  }

  /** The disk is replaced by an empty one. */
  wipe(): void {
    this.names.clear()
    this.directories = new Set(['/'])
    this.#durableNames.clear()
    this.#durableDirectories = new Set(['/'])
  }
}

/** The Disk of one life over a volume. Asynchronous calls take a while and die with the life. */
export class SimDisk implements Disk {
  readonly #life: SimLife
  readonly #volume: SimVolume

  constructor(life: SimLife, volume: SimVolume) {
    this.#life = life
    this.#volume = volume
  }

  async open(path: string, mode: DiskOpenMode): Promise<DiskFile> {
    await this.#wait('open', 0.2)
    return this.openNow(path, mode)
  }

  openNow(path: string, mode: DiskOpenMode): DiskFile {
    let inode = this.#volume.names.get(path)
    if (inode === undefined) {
      if (mode === 'read') throw new StorageError('not-found', 'no such file', { path })
      if (!this.#volume.directories.has(parentOf(path)))
        throw new StorageError('not-found', 'no such directory', { path })
      inode = new Inode()
      this.#volume.names.set(path, inode)
    } else if (mode === 'create') throw new StorageError('conflict', 'file exists', { path })
    return new SimFile(path, inode, this.#life)
  }

  async readFile(path: string): Promise<Uint8Array | undefined> {
    await this.#wait('read-file', 0.5)
    const inode = this.#volume.names.get(path)
    if (!inode) return undefined
    const bytes = new Uint8Array(inode.current.sizeBytes)
    inode.read(bytes, 0)
    return bytes
  }

  async writeFileAtomic(path: string, bytes: Uint8Array): Promise<void> {
    const temporary = `${path}.tmp`
    await this.#wait('write-atomic', 0.5)
    this.#volume.names.set(temporary, new Inode())
    const inode = this.#volume.names.get(temporary)!
    inode.write(bytes, 0)
    await this.#wait('sync-atomic', 1)
    inode.sync()
    await this.#wait('rename-atomic', 0.3)
    this.#move(temporary, path)
    await this.#wait('sync-directory-atomic', 0.5)
    this.#volume.syncDirectory(parentOf(path))
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#wait('rename', 0.3)
    if (this.#volume.names.has(from)) return this.#move(from, to)
    if (!this.#volume.directories.has(from)) throw new StorageError('not-found', 'nothing to rename', { from })
    for (const name of [...this.#volume.names.keys()]) {
      if (name.startsWith(`${from}/`)) this.#move(name, to + name.slice(from.length))
    }
    for (const name of [...this.#volume.directories]) {
      if (name !== from && !name.startsWith(`${from}/`)) continue
      this.#volume.directories.delete(name)
      this.#volume.directories.add(to + name.slice(from.length))
    }
  }

  async remove(path: string): Promise<void> {
    await this.#wait('remove', 0.3)
    this.#volume.names.delete(path)
  }

  async removeTree(path: string): Promise<void> {
    await this.#wait('remove-tree', 0.5)
    for (const name of [...this.#volume.names.keys()]) {
      if (name === path || name.startsWith(`${path}/`)) this.#volume.names.delete(name)
    }
    for (const name of [...this.#volume.directories]) {
      if (name === path || name.startsWith(`${path}/`)) this.#volume.directories.delete(name)
    }
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#wait('make-directory', 0.2)
    for (let at = path; at !== '/'; at = parentOf(at)) this.#volume.directories.add(at)
  }

  async list(path: string): Promise<string[]> {
    await this.#wait('list', 0.2)
    const names = [...this.#volume.names.keys(), ...this.#volume.directories].filter(
      (name) => name !== '/' && parentOf(name) === path,
    )
    return [...new Set(names.map((name) => name.slice(path === '/' ? 1 : path.length + 1)))].sort()
  }

  async stat(path: string): Promise<{ sizeBytes: number; isDirectory: boolean } | undefined> {
    await this.#wait('stat', 0.1)
    const inode = this.#volume.names.get(path)
    if (inode) return { sizeBytes: inode.current.sizeBytes, isDirectory: false }
    return this.#volume.directories.has(path) ? { sizeBytes: 0, isDirectory: true } : undefined
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#wait('sync-directory', 0.5)
    this.#volume.syncDirectory(path)
  }

  #move(from: string, to: string): void {
    const inode = this.#volume.names.get(from)!
    this.#volume.names.delete(from)
    this.#volume.names.set(to, inode)
  }

  #wait(label: string, atMostMs: number): Promise<void> {
    return this.#life.pause(this.#life.world.random.between(0.01, atMostMs), label)
  }
}

class SimFile implements DiskFile {
  readonly path: string
  readonly #inode: Inode
  readonly #life: SimLife

  constructor(path: string, inode: Inode, life: SimLife) {
    this.path = path
    this.#inode = inode
    this.#life = life
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    await this.#wait('read', 0.3)
    return this.readNow(target, position)
  }

  readNow(target: Uint8Array, position: number): number {
    return this.#inode.read(target, position)
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const copy = bytes.slice()
    await this.#wait('write', 0.5)
    this.#inode.write(copy, position)
  }

  writeNow(bytes: Uint8Array, position: number): void {
    if (this.#life.isAlive) this.#inode.write(bytes, position)
  }

  async sync(): Promise<void> {
    const isSlow = this.#life.world.random.chance(this.#life.syncStallMs() > 0 ? 0.6 : 0.1)
    await this.#wait('sync', isSlow ? 40 : 3)
    this.#syncInode()
  }

  syncNow(): void {
    this.#life.stall()
    if (this.#life.isAlive) this.#syncInode()
  }

  #syncInode(): void {
    if (!this.#life.world.random.chance(this.#life.syncFailureRate())) return this.#inode.sync()
    this.#life.world.note(`${this.#life.name} fails to sync ${this.path}`)
    this.#inode.forgetDirty()
    throw new StorageError('unavailable', 'sync file: input/output error', { path: this.path })
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#wait('truncate', 0.3)
    this.#inode.truncate(sizeBytes)
  }

  sizeBytes(): number {
    return this.#inode.current.sizeBytes
  }

  async close(): Promise<void> {
    await this.#wait('close', 0.05)
  }

  #wait(label: string, atMostMs: number): Promise<void> {
    return this.#life.pause(this.#life.world.random.between(0.01, atMostMs), label)
  }
}

function parentOf(path: string): string {
  const at = path.lastIndexOf('/')
  return at <= 0 ? '/' : path.slice(0, at)
}
