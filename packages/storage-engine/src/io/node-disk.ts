import * as fs from 'node:fs'
import * as fsp from 'node:fs/promises'
import * as path from 'node:path'
import { promisify } from 'node:util'
import type { Disk, DiskFile, DiskOpenMode } from './disk.ts'
import { errnoOf, systemError } from './node-errors.ts'

const readAt = promisify(fs.read)
const writeAt = promisify(fs.write)
const fdatasync = promisify(fs.fdatasync)
const ftruncate = promisify(fs.ftruncate)
const openPath = promisify(fs.open)
const closeFd = promisify(fs.close)

const flagsOfMode: Readonly<Record<DiskOpenMode, number>> = {
  read: fs.constants.O_RDONLY,
  write: fs.constants.O_RDWR | fs.constants.O_CREAT,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL,
}

/** Makes the names of temporary files of this process unique. */
let temporarySerial = 0

/** The local file system. Failures are StorageError naming the path; a full disk is `exhausted`. */
export const nodeDisk: Disk = {
  async open(filePath: string, mode: DiskOpenMode): Promise<DiskFile> {
    try {
      return new NodeDiskFile(filePath, await openPath(filePath, flagsOfMode[mode], 0o644))
    } catch (error) {
      throw systemError('open file', error, { path: filePath })
    }
  },

  openNow(filePath: string, mode: DiskOpenMode): DiskFile {
    try {
      return new NodeDiskFile(filePath, fs.openSync(filePath, flagsOfMode[mode], 0o644))
    } catch (error) {
      throw systemError('open file', error, { path: filePath })
    }
  },

  async readFile(filePath: string): Promise<Uint8Array | undefined> {
    try {
      const bytes = await fsp.readFile(filePath)
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw systemError('read file', error, { path: filePath })
    }
  },

  async writeFileAtomic(filePath: string, bytes: Uint8Array): Promise<void> {
    const temporaryPath = `${filePath}.${process.pid}-${++temporarySerial}.tmp`
    try {
      const handle = await fsp.open(temporaryPath, 'wx', 0o644)
      try {
        await handle.writeFile(bytes)
        await handle.datasync()
      } finally {
        await handle.close()
      }
      await fsp.rename(temporaryPath, filePath)
      await syncDirectory(path.dirname(filePath))
    } catch (error) {
      await fsp.rm(temporaryPath, { force: true }).catch(() => undefined)
      throw systemError('write file', error, { path: filePath })
    }
  },

  async rename(from: string, to: string): Promise<void> {
    try {
      await fsp.rename(from, to)
    } catch (error) {
      throw systemError('rename file', error, { path: from, to })
    }
  },

  async remove(filePath: string): Promise<void> {
    try {
      await fsp.unlink(filePath)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw systemError('remove file', error, { path: filePath })
    }
  },

  async removeTree(treePath: string): Promise<void> {
    try {
      await fsp.rm(treePath, { recursive: true, force: true })
    } catch (error) {
      throw systemError('remove folder', error, { path: treePath })
    }
  },

  async makeDirectory(directoryPath: string): Promise<void> {
    try {
      await fsp.mkdir(directoryPath, { recursive: true })
    } catch (error) {
      throw systemError('make folder', error, { path: directoryPath })
    }
  },

  async list(directoryPath: string): Promise<string[]> {
    try {
      return (await fsp.readdir(directoryPath)).sort()
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return []
      throw systemError('list folder', error, { path: directoryPath })
    }
  },

  async stat(filePath: string): Promise<{ sizeBytes: number; isDirectory: boolean } | undefined> {
    try {
      const stats = await fsp.stat(filePath)
      return { sizeBytes: stats.size, isDirectory: stats.isDirectory() }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw systemError('stat file', error, { path: filePath })
    }
  },

  syncDirectory,
}

async function syncDirectory(directoryPath: string): Promise<void> {
  try {
    const handle = await fsp.open(directoryPath, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw systemError('sync folder', error, { path: directoryPath })
  }
}

class NodeDiskFile implements DiskFile {
  readonly path: string
  #fd: number | undefined

  constructor(filePath: string, fd: number) {
    this.path = filePath
    this.#fd = fd
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    const fd = this.#open('read file')
    let count = 0
    try {
      while (count < target.length) {
        const { bytesRead } = await readAt(fd, target, count, target.length - count, position + count)
        if (bytesRead === 0) break
        count += bytesRead
      }
    } catch (error) {
      throw systemError('read file', error, { path: this.path, position })
    }
    return count
  }

  readNow(target: Uint8Array, position: number): number {
    const fd = this.#open('read file')
    let count = 0
    try {
      while (count < target.length) {
        const bytesRead = fs.readSync(fd, target, count, target.length - count, position + count)
        if (bytesRead === 0) break
        count += bytesRead
      }
    } catch (error) {
      throw systemError('read file', error, { path: this.path, position })
    }
    return count
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const fd = this.#open('write file')
    let count = 0
    try {
      while (count < bytes.length) {
        const { bytesWritten } = await writeAt(fd, bytes, count, bytes.length - count, position + count)
        count += bytesWritten
      }
    } catch (error) {
      throw systemError('write file', error, { path: this.path, position })
    }
  }

  writeNow(bytes: Uint8Array, position: number): void {
    const fd = this.#open('write file')
    let count = 0
    try {
      while (count < bytes.length) {
        count += fs.writeSync(fd, bytes, count, bytes.length - count, position + count)
      }
    } catch (error) {
      throw systemError('write file', error, { path: this.path, position })
    }
  }

  async sync(): Promise<void> {
    try {
      await fdatasync(this.#open('sync file'))
    } catch (error) {
      throw systemError('sync file', error, { path: this.path })
    }
  }

  syncNow(): void {
    try {
      fs.fdatasyncSync(this.#open('sync file'))
    } catch (error) {
      throw systemError('sync file', error, { path: this.path })
    }
  }

  async truncate(sizeBytes: number): Promise<void> {
    try {
      await ftruncate(this.#open('truncate file'), sizeBytes)
    } catch (error) {
      throw systemError('truncate file', error, { path: this.path, sizeBytes })
    }
  }

  sizeBytes(): number {
    try {
      return fs.fstatSync(this.#open('stat file')).size
    } catch (error) {
      throw systemError('stat file', error, { path: this.path })
    }
  }

  async close(): Promise<void> {
    const fd = this.#fd
    if (fd === undefined) return
    this.#fd = undefined
    try {
      await closeFd(fd)
    } catch (error) {
      throw systemError('close file', error, { path: this.path })
    }
  }

  #open(what: string): number {
    if (this.#fd === undefined) throw systemError(what, new Error('file is closed'), { path: this.path })
    return this.#fd
  }
}
