import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { expect, test } from 'vitest'
import { isStorageError } from '../base/errors.ts'
import { nodeDisk } from '../io/node-disk.ts'
import { openLocalObjectStore } from '../object-store/local-object-store.ts'
import { DownloadedLayers } from './local-layers.ts'

test('downloaded layers stay within their bound, and none goes while a query reads it', async () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-layers-'))
  try {
    const store = await openLocalObjectStore({ folder: path.join(root, 'objects') })
    for (const key of ['a', 'b', 'c', 'd']) await store.put(`lake/${key}`, new Uint8Array(1000).fill(key.charCodeAt(0)))
    const layers = new DownloadedLayers({ disk: nodeDisk, store, directory: path.join(root, 'cache'), bytesMax: 2500 })
    await layers.open()
    const [a, again, b] = await Promise.all([
      layers.acquire('lake/a', 1000),
      layers.acquire('lake/a', 1000),
      layers.acquire('lake/b', 1000),
    ])
    expect(again).toBe(a)
    expect(fs.readFileSync(a)[0]).toBe('a'.charCodeAt(0))
    // Both are in use: there is no room for a third.
    const refusal = await layers.acquire('lake/c', 1000).catch((error: unknown) => error)
    expect(isStorageError(refusal, 'exhausted')).toBe(true)
    layers.release('lake/b')
    const c = await layers.acquire('lake/c', 1000)
    expect([fs.existsSync(a), fs.existsSync(b), fs.existsSync(c)]).toEqual([true, false, true])
    expect(layers.sizeBytes).toBe(2000)
    layers.release('lake/a')
    layers.release('lake/a')
    // One that is not there takes no room.
    const missing = await layers.acquire('lake/none', 400).catch((error: unknown) => error)
    expect(isStorageError(missing, 'not-found')).toBe(true)
    expect(layers.sizeBytes).toBe(2000)
    await layers.acquire('lake/d', 1000)
    expect(fs.existsSync(a)).toBe(false)
  } finally {
    fs.rmSync(root, { recursive: true, force: true })
  }
})
