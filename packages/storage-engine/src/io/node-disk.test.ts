import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { nodeDisk } from './node-disk.ts'

let folder = ''
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-disk-'))
})
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }))

test('what was written at a position is read back from there, and a read past the end is short', async () => {
  const file = await nodeDisk.open(path.join(folder, 'a'), 'write')
  try {
    await file.write(Uint8Array.of(1, 2, 3), 5)
    file.writeNow(Uint8Array.of(9), 6)
    await file.sync()
    file.syncNow()
    const target = new Uint8Array(6)
    expect(await file.read(target, 4)).toBe(4)
    expect([...target]).toEqual([0, 1, 9, 3, 0, 0])
    expect(file.readNow(target, 100)).toBe(0)
    await file.truncate(6)
    expect(file.sizeBytes()).toBe(6)
  } finally {
    await file.close()
    await file.close()
  }
  await expect(file.read(new Uint8Array(1), 0)).rejects.toThrow(/file is closed/)
})

test('create refuses an existing file with conflict, read a missing one with not-found', async () => {
  const file = await nodeDisk.open(path.join(folder, 'a'), 'create')
  await file.close()
  await expect(nodeDisk.open(path.join(folder, 'a'), 'create')).rejects.toMatchObject({ code: 'conflict' })
  await expect(nodeDisk.open(path.join(folder, 'b'), 'read')).rejects.toMatchObject({ code: 'not-found' })
  expect(() => nodeDisk.openNow(path.join(folder, 'b'), 'read')).toThrow(/no such file/)
  expect(await nodeDisk.readFile(path.join(folder, 'b'))).toBeUndefined()
  expect(await nodeDisk.stat(path.join(folder, 'b'))).toBeUndefined()
})

test('an atomic write replaces the whole file and leaves no temporary file, also when it fails', async () => {
  const target = path.join(folder, 'state')
  await nodeDisk.writeFileAtomic(target, Uint8Array.of(1, 2, 3))
  await nodeDisk.writeFileAtomic(target, Uint8Array.of(4))
  expect([...((await nodeDisk.readFile(target)) ?? [])]).toEqual([4])
  await nodeDisk.makeDirectory(path.join(folder, 'taken'))
  await expect(nodeDisk.writeFileAtomic(path.join(folder, 'taken'), Uint8Array.of(1))).rejects.toThrow(/write file/)
  expect(await nodeDisk.list(folder)).toEqual(['state', 'taken'])
})

test('folders are listed in order; removing what is not there is no error', async () => {
  await nodeDisk.makeDirectory(path.join(folder, 'x/y'))
  for (const name of ['b', 'a', 'c']) await nodeDisk.writeFileAtomic(path.join(folder, 'x', name), new Uint8Array(2))
  expect(await nodeDisk.list(path.join(folder, 'x'))).toEqual(['a', 'b', 'c', 'y'])
  expect(await nodeDisk.list(path.join(folder, 'none'))).toEqual([])
  expect(await nodeDisk.stat(path.join(folder, 'x/a'))).toEqual({ sizeBytes: 2, isDirectory: false })
  await nodeDisk.rename(path.join(folder, 'x/a'), path.join(folder, 'x/d'))
  await nodeDisk.remove(path.join(folder, 'x/a'))
  await nodeDisk.syncDirectory(path.join(folder, 'x'))
  await nodeDisk.removeTree(path.join(folder, 'x'))
  await nodeDisk.removeTree(path.join(folder, 'x'))
  expect(await nodeDisk.list(folder)).toEqual([])
})

test.skipIf(!fs.existsSync('/dev/full'))('a full disk is exhausted', async () => {
  const file = await nodeDisk.open('/dev/full', 'write')
  try {
    await expect(file.write(new Uint8Array(10), 0)).rejects.toMatchObject({ code: 'exhausted' })
    expect(() => file.writeNow(new Uint8Array(10), 0)).toThrow(/no space left/)
  } finally {
    await file.close()
  }
})
