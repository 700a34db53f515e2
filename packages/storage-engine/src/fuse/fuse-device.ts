import * as fs from 'node:fs'
import type { CacheFiles } from './overlay.ts'

/** The device and the cache files as both threads of the mount use them: synchronous calls on shared descriptors. */
export type DeviceRead =
  | { readonly kind: 'request'; readonly byteCount: number }
  | { readonly kind: 'again' }
  | { readonly kind: 'ended'; readonly reason: string }

/** Between tries while nothing is mounted yet. */
const NOT_MOUNTED_WAIT_MS = 1
const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** Blocks until there is one request, whole. */
export function readDevice(device: number, target: Uint8Array): DeviceRead {
  try {
    const byteCount = fs.readSync(device, target, 0, target.length, null)
    return byteCount === 0 ? { kind: 'ended', reason: 'end of file' } : { kind: 'request', byteCount }
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EPERM') {
      Atomics.wait(sleeper, 0, 0, NOT_MOUNTED_WAIT_MS)
      return { kind: 'again' }
    }
    if (code === 'EINTR' || code === 'EAGAIN' || code === 'ENOENT') return { kind: 'again' }
    return { kind: 'ended', reason: code }
  }
}

/** Writes one whole reply. Returns the failure's code, or undefined; a request that is gone meanwhile is no failure. */
export function writeDevice(device: number, reply: Uint8Array, byteCount: number): string | undefined {
  try {
    fs.writeSync(device, reply, 0, byteCount, null)
    return undefined
  } catch (error) {
    return failureOf(error)
  }
}

/** As writeDevice, from several parts in one writev. */
export function writeDeviceParts(device: number, parts: readonly Uint8Array[]): string | undefined {
  try {
    fs.writevSync(device, parts)
    return undefined
  } catch (error) {
    return failureOf(error)
  }
}

export const nodeCacheFiles: CacheFiles = {
  open: (path, create) =>
    fs.openSync(path, create ? fs.constants.O_RDWR | fs.constants.O_CREAT : fs.constants.O_RDWR, 0o600),
  read: (descriptor, target, targetOffset, byteCount, position) =>
    fs.readSync(descriptor, target, targetOffset, byteCount, position),
  write: (descriptor, source, sourceOffset, byteCount, position) =>
    fs.writeSync(descriptor, source, sourceOffset, byteCount, position),
  writeMany: (descriptor, sources, position) => fs.writevSync(descriptor, sources, position),
  truncate: (descriptor, sizeBytes) => fs.ftruncateSync(descriptor, sizeBytes),
  close: (descriptor) => fs.closeSync(descriptor),
  remove: (path) => fs.rmSync(path, { force: true }),
}

function failureOf(error: unknown): string | undefined {
  const code = codeOf(error)
  return code === 'ENOENT' || code === 'ENODEV' || code === 'ECONNABORTED' ? undefined : code
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error)
}
