import * as fs from 'node:fs'
import * as fsp from 'node:fs/promises'
import * as path from 'node:path'
import { StorageError } from '../base/errors.ts'
import { SYNC_STEP_BYTES } from '../io/disk.ts'
import { errnoOf, systemError } from '../io/node-errors.ts'
import { checkObjectKey, checkObjectPrefix, cutRange } from './object-key.ts'
import type { ByteRange, ObjectInfo, ObjectStore } from './object-store.ts'

/** Keys in one answer of `list` when the caller names no limit. */
const LIST_LIMIT = 1000
/** '~' is in no key, so the folder of unfinished writes is no object. */
const TEMPORARY_FOLDER = '~unfinished'
/** An unfinished write this old belongs to a process that is gone. */
const UNFINISHED_AGE_MS_MAX = 24 * 3600 * 1000

const COPY_BUFFER_BYTES = 1024 * 1024

let temporarySerial = 0

/**
 * Objects as files of a folder that several processes may share. A write goes to a temporary file, is synced, and then
 * appears under its name by rename, or by link(2) where it must not replace anything. Unlike S3, 'a' and 'a/b' cannot
 * both exist: the second is `invalid-input`.
 */
export async function openLocalObjectStore(options: { folder: string }): Promise<ObjectStore> {
  const root = path.resolve(options.folder)
  const temporaryFolder = path.join(root, TEMPORARY_FOLDER)
  try {
    await fsp.mkdir(temporaryFolder, { recursive: true })
    await fsp.access(temporaryFolder, fs.constants.W_OK)
  } catch (error) {
    throw systemError('open object store folder', error, { folder: root })
  }
  await removeUnfinished(temporaryFolder)

  const pathOf = (key: string) => {
    checkObjectKey(key)
    return path.join(root, key)
  }

  /** Runs `write`, which syncs, on a fresh temporary file, then gives that its name by `publish`. */
  async function writeThen<T>(
    key: string,
    signal: AbortSignal | undefined,
    write: (temporaryPath: string) => Promise<void>,
    publish: (temporaryPath: string, finalPath: string) => Promise<T>,
  ): Promise<T> {
    const finalPath = pathOf(key)
    checkSignal(signal)
    const temporaryPath = path.join(temporaryFolder, `${process.pid}-${++temporarySerial}`)
    // Folders with names to be made durable. All at once at the end: the file system then writes them in one go.
    const changed = new Set([path.dirname(finalPath)])
    try {
      for (const folder of await makeFolders(root, path.dirname(finalPath))) changed.add(folder)
      await write(temporaryPath)
      checkSignal(signal)
      for (let attempt = 1; ; attempt++) {
        try {
          const result = await publish(temporaryPath, finalPath)
          await Promise.all([...changed].map(syncPath))
          return result
        } catch (error) {
          // A delete that empties the folder removes it too; make it again.
          if (errnoOf(error) !== 'ENOENT' || attempt === 10) throw error
          for (const folder of await makeFolders(root, path.dirname(finalPath))) changed.add(folder)
        }
      }
    } catch (error) {
      throw writeError(error, key)
    } finally {
      await fsp.rm(temporaryPath, { force: true })
    }
  }

  return {
    async get(key: string, getOptions: { range?: ByteRange; signal?: AbortSignal } = {}): Promise<Uint8Array> {
      const file = pathOf(key)
      checkSignal(getOptions.signal)
      try {
        const handle = await fsp.open(file, 'r')
        try {
          const stats = await handle.stat()
          if (stats.isDirectory()) throw noObject(key)
          const { start, end } = cutRange(key, stats.size, getOptions.range)
          const bytes = new Uint8Array(end - start)
          let count = 0
          while (count < bytes.length) {
            const { bytesRead } = await handle.read(bytes, count, bytes.length - count, start + count)
            if (bytesRead === 0) throw new StorageError('unavailable', 'object became shorter while read', { key })
            count += bytesRead
          }
          return bytes
        } finally {
          await handle.close()
        }
      } catch (error) {
        throw readError(error, key)
      }
    },

    async head(key: string, headOptions: { signal?: AbortSignal } = {}): Promise<ObjectInfo | undefined> {
      const file = pathOf(key)
      checkSignal(headOptions.signal)
      try {
        const stats = await fsp.stat(file)
        return stats.isFile() ? { key, sizeBytes: stats.size } : undefined
      } catch (error) {
        if (isMissing(error)) return undefined
        throw systemError('read object', error, { key })
      }
    },

    async put(key: string, bytes: Uint8Array, putOptions: { signal?: AbortSignal } = {}): Promise<void> {
      await writeThen(
        key,
        putOptions.signal,
        (temporaryPath) => writeInSteps(temporaryPath, [bytes]),
        (temporaryPath, finalPath) => fsp.rename(temporaryPath, finalPath),
      )
    },

    async putFile(key: string, source: string, putOptions: { signal?: AbortSignal } = {}): Promise<void> {
      await writeThen(
        key,
        putOptions.signal,
        async (temporaryPath) => {
          try {
            await copyInSteps(source, temporaryPath)
          } catch (error) {
            throw systemError('read file to upload', error, { path: source })
          }
        },
        (temporaryPath, finalPath) => fsp.rename(temporaryPath, finalPath),
      )
    },

    async getFile(key: string, target: string, getOptions: { signal?: AbortSignal } = {}): Promise<void> {
      const file = pathOf(key)
      checkSignal(getOptions.signal)
      const temporaryPath = `${target}.${process.pid}-${++temporarySerial}.tmp`
      try {
        await copyInSteps(file, temporaryPath)
        await fsp.rename(temporaryPath, target)
        await syncPath(path.dirname(target))
      } catch (error) {
        await fsp.rm(temporaryPath, { force: true })
        throw readError(error, key)
      }
    },

    async putIfAbsent(
      key: string,
      bytes: Uint8Array,
      putOptions: { signal?: AbortSignal } = {},
    ): Promise<'created' | 'exists'> {
      return writeThen(
        key,
        putOptions.signal,
        (temporaryPath) => writeInSteps(temporaryPath, [bytes]),
        async (temporaryPath, finalPath) => {
          try {
            await fsp.link(temporaryPath, finalPath)
            return 'created'
          } catch (error) {
            if (errnoOf(error) !== 'EEXIST') throw error
            if ((await fsp.stat(finalPath)).isFile()) return 'exists'
            throw error
          }
        },
      )
    },

    async list(prefix, listOptions = {}): Promise<{ objects: ObjectInfo[]; truncated: boolean }> {
      checkObjectPrefix(prefix)
      checkSignal(listOptions.signal)
      const { startAfter = '', limit = LIST_LIMIT, signal } = listOptions
      const folderKey = prefix.slice(0, prefix.lastIndexOf('/') + 1)
      const found: ObjectInfo[] = []
      for await (const object of walk(root, folderKey, prefix, startAfter)) {
        checkSignal(signal)
        if (found.length === limit) return { objects: found, truncated: true }
        found.push(object)
      }
      return { objects: found, truncated: false }
    },

    async delete(keys: readonly string[], deleteOptions: { signal?: AbortSignal } = {}): Promise<void> {
      const files = keys.map(pathOf)
      for (const file of files) {
        checkSignal(deleteOptions.signal)
        try {
          await fsp.unlink(file)
          await removeEmptyFolders(root, path.dirname(file))
        } catch (error) {
          if (!isMissing(error)) throw systemError('delete object', error, { key: path.relative(root, file) })
        }
      }
    },
  }
}

/** Objects below `folderKey` in ascending byte order of their keys. */
async function* walk(root: string, folderKey: string, prefix: string, startAfter: string): AsyncGenerator<ObjectInfo> {
  let entries: fs.Dirent[]
  try {
    entries = await fsp.readdir(path.join(root, folderKey), { withFileTypes: true })
  } catch (error) {
    if (isMissing(error)) return
    throw systemError('list objects', error, { prefix })
  }
  // A folder sorts as its name with '/', as the keys in it do.
  const keys = entries
    .filter((entry) => entry.name !== TEMPORARY_FOLDER)
    .map((entry) => `${folderKey}${entry.name}${entry.isDirectory() ? '/' : ''}`)
    .sort()
  for (const key of keys) {
    if (key.endsWith('/')) {
      const mayMatch = key.startsWith(prefix) || prefix.startsWith(key)
      const isBehind = startAfter > key && !startAfter.startsWith(key)
      if (mayMatch && !isBehind) yield* walk(root, key, prefix, startAfter)
      continue
    }
    if (!key.startsWith(prefix) || key <= startAfter) continue
    try {
      yield { key, sizeBytes: (await fsp.stat(path.join(root, key))).size }
    } catch (error) {
      // Deleted since the folder was read.
      if (!isMissing(error)) throw systemError('list objects', error, { prefix })
    }
  }
}

/** Makes the folder and the ones above it. Returns those that got a new name in them: to be synced. */
async function makeFolders(root: string, folder: string): Promise<string[]> {
  const firstMade = await fsp.mkdir(folder, { recursive: true })
  const changed: string[] = []
  if (firstMade === undefined) return changed
  for (let parent = path.dirname(folder); parent.length >= root.length; parent = path.dirname(parent)) {
    changed.push(parent)
    if (parent === path.dirname(firstMade)) break
  }
  return changed
}

async function removeEmptyFolders(root: string, folder: string): Promise<void> {
  for (let current = folder; current.length > root.length; current = path.dirname(current)) {
    try {
      await fsp.rmdir(current)
    } catch {
      return
    }
  }
}

async function removeUnfinished(temporaryFolder: string): Promise<void> {
  for (const name of await fsp.readdir(temporaryFolder).catch(() => [])) {
    const file = path.join(temporaryFolder, name)
    const stats = await fsp.stat(file).catch(() => undefined)
    if (stats && Date.now() - stats.mtimeMs > UNFINISHED_AGE_MS_MAX) await fsp.rm(file, { force: true })
  }
}

/** Shares the blocks where the file system can, else copies them. The target is synced. */
async function copyInSteps(source: string, target: string): Promise<void> {
  try {
    await fsp.copyFile(source, target, fs.constants.COPYFILE_FICLONE_FORCE)
    return syncPath(target)
  } catch (error) {
    if (isMissing(error)) throw error
  }
  const handle = await fsp.open(source, 'r')
  try {
    await writeInSteps(target, readInSteps(handle))
  } finally {
    await handle.close()
  }
}

/** What is yielded is valid until the next is asked for. */
async function* readInSteps(handle: fsp.FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(COPY_BUFFER_BYTES)
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

/** The target is synced. */
async function writeInSteps(target: string, pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await fsp.open(target, 'w')
  try {
    let unsyncedBytes = 0
    for await (const piece of pieces) {
      for (let at = 0; at < piece.length; at += COPY_BUFFER_BYTES) {
        const part = piece.subarray(at, at + COPY_BUFFER_BYTES)
        if (unsyncedBytes + part.length > SYNC_STEP_BYTES) {
          await handle.datasync()
          unsyncedBytes = 0
        }
        await handle.writeFile(part)
        unsyncedBytes += part.length
      }
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function syncPath(target: string): Promise<void> {
  const handle = await fsp.open(target, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isMissing(error: unknown): boolean {
  const errno = errnoOf(error)
  return errno === 'ENOENT' || errno === 'ENOTDIR'
}

function noObject(key: string): StorageError {
  return new StorageError('not-found', 'no such object', { key })
}

function readError(error: unknown, key: string): StorageError {
  return isMissing(error) ? noObject(key) : systemError('read object', error, { key })
}

function writeError(error: unknown, key: string): StorageError {
  const errno = errnoOf(error)
  if (errno === 'ENOTDIR' || errno === 'EISDIR' || errno === 'EEXIST') {
    return new StorageError('invalid-input', 'key lies below or above another object', { key }, { cause: error })
  }
  return systemError('write object', error, { key })
}

function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new StorageError('aborted', 'object store call: aborted')
}
