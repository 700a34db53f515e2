import { expect, test } from 'vitest'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { Fork } from '../postgres/relation.ts'
import { type FileNode, FileTree } from './file-tree.ts'
import { ROOT_NODE_ID } from './fuse-protocol.ts'
import { type CacheFiles, CacheFolder, Overlay } from './overlay.ts'
import { PagePresence } from './page-presence.ts'

/** Cache files in memory on a disk with room for `room` more bytes; a write beyond it stops early or fails. */
class SmallDisk implements CacheFiles {
  room = 0
  bytes = new Uint8Array(64 * PAGE_SIZE)

  open(): number {
    return 3
  }
  read(_descriptor: number, target: Uint8Array, targetOffset: number, byteCount: number, position: number): number {
    target.set(this.bytes.subarray(position, position + byteCount), targetOffset)
    return byteCount
  }
  write(_descriptor: number, source: Uint8Array, sourceOffset: number, byteCount: number, position: number): number {
    if (this.room === 0) throw Object.assign(new Error('no space left on device'), { errno: -28 })
    const count = Math.min(byteCount, this.room)
    this.room -= count
    this.bytes.set(source.subarray(sourceOffset, sourceOffset + count), position)
    return count
  }
  writeMany(): number {
    throw new Error('not of use here')
  }
  truncate(): void {}
  close(): void {}
  remove(): void {}
}

function remoteFile(): FileNode {
  const tree = new FileTree(() => 0)
  const file = tree.createFile(tree.directory(ROOT_NODE_ID), '16384', 0o600, { uid: 1, gid: 1 })
  const relation = { spcOid: 1663, dbOid: 5, relNumber: 16384, fork: Fork.main }
  return { ...file, remote: { relation, firstBlock: 0, blockCount: 8 }, sizeBytes: 8 * PAGE_SIZE }
}

test('on a full disk a page that a write did not fill does not pass for written: it is fetched again', () => {
  const disk = new SmallDisk()
  let presence: PagePresence | undefined
  const overlay = new Overlay(new CacheFolder(disk, '/cache'), (_file, buffer) => {
    presence = new PagePresence(buffer)
  })
  const file = remoteFile()
  const data = new Uint8Array(4 * PAGE_SIZE).fill(7)
  expect(() => overlay.write(file, data, 0, data.length, 0)).toThrow(/no space/)
  expect(presence!.firstAbsent(0, 4)).toBe(0)

  disk.room = 2 * PAGE_SIZE + 100
  expect(overlay.write(file, data, 0, data.length, 0)).toBe(2 * PAGE_SIZE + 100)
  expect([0, 1, 2, 3].map((page) => presence!.isPresent(page))).toEqual([true, true, false, false])

  // What was local before stays local, whatever becomes of the write.
  expect(() => overlay.write(file, data, 0, data.length, 0)).toThrow(/no space/)
  expect([0, 1, 2, 3].map((page) => presence!.isPresent(page))).toEqual([true, true, false, false])
  disk.room = data.length
  expect(overlay.write(file, data, 0, data.length, 0)).toBe(data.length)
  expect(presence!.firstAbsent(0, 4)).toBe(4)
})
