import type { Disk } from '../io/disk.ts'

const BLOCK = 512

/** A directory as a tar file (POSIX ustar), to be unpacked by anyone. Held in memory: for a fresh data directory. */
export async function archiveDirectory(disk: Disk, directory: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  await addEntries(disk, directory, '', parts)
  parts.push(new Uint8Array(2 * BLOCK))
  const archive = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    archive.set(part, at)
    at += part.length
  }
  return archive
}

async function addEntries(disk: Disk, directory: string, prefix: string, parts: Uint8Array[]): Promise<void> {
  for (const name of await disk.list(directory)) {
    const path = `${directory}/${name}`
    const stat = await disk.stat(path)
    if (stat?.isDirectory) {
      parts.push(tarHeader(`${prefix}${name}/`, 0, 0o700, '5'))
      await addEntries(disk, path, `${prefix}${name}/`, parts)
      continue
    }
    const bytes = await disk.readFile(path)
    if (!bytes) continue
    parts.push(tarHeader(`${prefix}${name}`, bytes.length, 0o600, '0'), bytes)
    const rest = bytes.length % BLOCK
    if (rest !== 0) parts.push(new Uint8Array(BLOCK - rest))
  }
}

function tarHeader(name: string, sizeBytes: number, mode: number, type: '0' | '5'): Uint8Array {
  const header = new Uint8Array(BLOCK)
  const put = (text: string, at: number) => header.set(new TextEncoder().encode(text), at)
  const octal = (value: number, width: number) => value.toString(8).padStart(width, '0')
  put(name, 0)
  put(octal(mode, 7), 100)
  put(octal(0, 7), 108)
  put(octal(0, 7), 116)
  put(octal(sizeBytes, 11), 124)
  put(octal(0, 11), 136)
  put('        ', 148)
  put(type, 156)
  put('ustar\0' + '00', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  put(`${octal(sum, 6)}\0 `, 148)
  return header
}
