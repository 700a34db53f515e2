import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ObjectStore } from './object-store.ts'

/** Larger than one part of any implementation, and no multiple of it. */
const BIG_BYTES = 20 * 1024 * 1024 + 12_345

export interface ContractOptions {
  readonly name: string
  readonly open: () => Promise<{ store: ObjectStore; close: () => Promise<void> }>
  /** What this server cannot do, with the reason printed in the test's title. */
  readonly lacks?: { readonly putIfAbsent?: string; readonly listing?: string; readonly atomicPut?: string }
}

/** What every object store must do. Each run works below a prefix of its own. */
export function describeObjectStore(options: ContractOptions): void {
  const { lacks = {} } = options
  const unless = (reason: string | undefined, title: string, run: () => Promise<void>) =>
    reason === undefined ? test(title, run) : test.skip(`${title} [skipped: ${reason}]`, run)

  describe(`object store: ${options.name}`, () => {
    let store: ObjectStore
    let close: () => Promise<void> = async () => undefined
    let folder = ''
    let serial = 0
    const run = `t${process.pid}-${Math.floor(performance.now() * 1000)}`
    const freshPrefix = () => `${run}/${++serial}`

    beforeAll(async () => {
      folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-object-store-'))
      const opened = await options.open()
      store = opened.store
      close = opened.close
    })
    afterAll(async () => {
      await close()
      fs.rmSync(folder, { recursive: true, force: true })
    })

    test('a put object is read back whole, and a second put replaces it', async () => {
      const key = `${freshPrefix()}/a`
      await store.put(key, Uint8Array.of(1, 2, 3))
      expect([...(await store.get(key))]).toEqual([1, 2, 3])
      expect(await store.head(key)).toEqual({ key, sizeBytes: 3 })
      await store.put(key, Uint8Array.of(4))
      expect([...(await store.get(key))]).toEqual([4])
      expect(await store.head(key)).toEqual({ key, sizeBytes: 1 })
    })

    test('an empty object is an object', async () => {
      const key = `${freshPrefix()}/empty`
      await store.put(key, new Uint8Array(0))
      expect(await store.get(key)).toHaveLength(0)
      expect(await store.head(key)).toEqual({ key, sizeBytes: 0 })
    })

    test('what was put does not change with the buffer it was put from', async () => {
      const key = `${freshPrefix()}/copy`
      const bytes = Uint8Array.of(1, 2)
      await store.put(key, bytes)
      bytes[0] = 9
      const first = await store.get(key)
      expect([...first]).toEqual([1, 2])
      first[0] = 8
      expect([...(await store.get(key))]).toEqual([1, 2])
    })

    test('a range is [start, end), cut at the end of the object; one that starts past it is invalid', async () => {
      const key = `${freshPrefix()}/range`
      await store.put(key, Uint8Array.of(0, 1, 2, 3, 4))
      expect([...(await store.get(key, { range: { start: 1, end: 3 } }))]).toEqual([1, 2])
      expect([...(await store.get(key, { range: { start: 4, end: 100 } }))]).toEqual([4])
      await expect(store.get(key, { range: { start: 5, end: 6 } })).rejects.toMatchObject({ code: 'invalid-input' })
      await expect(store.get(key, { range: { start: 2, end: 2 } })).rejects.toMatchObject({ code: 'invalid-input' })
      await expect(store.get(key, { range: { start: -1, end: 2 } })).rejects.toMatchObject({ code: 'invalid-input' })
    })

    test('what is not there: get is not-found, head undefined, delete no error', async () => {
      const key = `${freshPrefix()}/none`
      await expect(store.get(key)).rejects.toMatchObject({ code: 'not-found' })
      await expect(store.get(key, { range: { start: 0, end: 1 } })).rejects.toMatchObject({ code: 'not-found' })
      await expect(store.getFile(key, path.join(folder, 'none'))).rejects.toMatchObject({ code: 'not-found' })
      expect(fs.existsSync(path.join(folder, 'none'))).toBe(false)
      expect(await store.head(key)).toBeUndefined()
      await store.delete([key])
      await store.delete([])
    })

    test('a prefix of a key is no object', async () => {
      const prefix = freshPrefix()
      await store.put(`${prefix}/x/y`, Uint8Array.of(1))
      expect(await store.head(`${prefix}/x`)).toBeUndefined()
      await expect(store.get(`${prefix}/x`)).rejects.toMatchObject({ code: 'not-found' })
    })

    test.each(['', '/', 'a//b', '/a', 'a/', 'a/../b', './a', 'a b', 'ä', 'a\n', 'a/~x', `${'x'.repeat(300)}`])(
      'the bad key %j is invalid-input in every method',
      async (key) => {
        const wrong = { code: 'invalid-input' }
        await expect(store.get(key)).rejects.toMatchObject(wrong)
        await expect(store.put(key, new Uint8Array(1))).rejects.toMatchObject(wrong)
        await expect(store.putIfAbsent(key, new Uint8Array(1))).rejects.toMatchObject(wrong)
        await expect(store.head(key)).rejects.toMatchObject(wrong)
        await expect(store.delete([key])).rejects.toMatchObject(wrong)
        await expect(store.putFile(key, path.join(folder, 'x'))).rejects.toMatchObject(wrong)
        await expect(store.getFile(key, path.join(folder, 'x'))).rejects.toMatchObject(wrong)
      },
    )

    test('a big object survives put and get, and file upload and download', async () => {
      const prefix = freshPrefix()
      const bytes = new Uint8Array(BIG_BYTES)
      for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 2654435761) >>> 24
      await store.put(`${prefix}/bytes`, bytes)
      expect(Buffer.compare(await store.get(`${prefix}/bytes`), bytes)).toBe(0)
      const start = BIG_BYTES - 100_000
      const tail = await store.get(`${prefix}/bytes`, { range: { start, end: BIG_BYTES } })
      expect(Buffer.compare(tail, bytes.subarray(start))).toBe(0)

      const source = path.join(folder, 'source')
      fs.writeFileSync(source, bytes)
      await store.putFile(`${prefix}/file`, source)
      expect(await store.head(`${prefix}/file`)).toMatchObject({ sizeBytes: BIG_BYTES })
      const target = path.join(folder, 'target')
      await store.getFile(`${prefix}/file`, target)
      expect(Buffer.compare(fs.readFileSync(target), bytes)).toBe(0)
      expect(fs.readdirSync(folder).filter((name) => name.includes('.tmp'))).toEqual([])
    })

    test('small and empty files go up and down', async () => {
      const prefix = freshPrefix()
      for (const size of [0, 1, 5000]) {
        const source = path.join(folder, `small-${size}`)
        fs.writeFileSync(source, Buffer.alloc(size, 7))
        await store.putFile(`${prefix}/${size}`, source)
        await store.getFile(`${prefix}/${size}`, `${source}.back`)
        expect(Buffer.compare(fs.readFileSync(`${source}.back`), Buffer.alloc(size, 7))).toBe(0)
      }
      const missing = store.putFile(`${prefix}/missing`, path.join(folder, 'no-such-file'))
      await expect(missing).rejects.toMatchObject({ code: 'not-found' })
      expect(await store.head(`${prefix}/missing`)).toBeUndefined()
    })

    test('a deleted object is gone, its neighbours are not, and its key can be used again', async () => {
      const prefix = freshPrefix()
      const keys = ['a', 'b', 'c/d'].map((name) => `${prefix}/${name}`)
      for (const key of keys) await store.put(key, Uint8Array.of(1))
      await store.delete([`${prefix}/a`, `${prefix}/c/d`, `${prefix}/none`])
      expect(await Promise.all(keys.map(async (key) => (await store.head(key)) !== undefined))).toEqual([
        false,
        true,
        false,
      ])
      await store.put(`${prefix}/c/d`, Uint8Array.of(2))
      expect([...(await store.get(`${prefix}/c/d`))]).toEqual([2])
    })

    unless(lacks.atomicPut, 'writers of one key at the same time leave one of their objects, whole', async () => {
      const key = `${freshPrefix()}/contended`
      await Promise.all(Array.from({ length: 8 }, (_, writer) => store.put(key, new Uint8Array(100_000).fill(writer))))
      const bytes = await store.get(key)
      expect(bytes).toHaveLength(100_000)
      expect(bytes.every((byte) => byte === bytes[0])).toBe(true)
    })

    unless(lacks.putIfAbsent, 'put-if-absent creates once and never replaces', async () => {
      const key = `${freshPrefix()}/once`
      expect(await store.putIfAbsent(key, Uint8Array.of(1))).toBe('created')
      expect(await store.putIfAbsent(key, Uint8Array.of(2))).toBe('exists')
      expect([...(await store.get(key))]).toEqual([1])
      await store.delete([key])
      expect(await store.putIfAbsent(key, Uint8Array.of(3))).toBe('created')
    })

    unless(
      lacks.putIfAbsent,
      'of many put-if-absent at the same time exactly one wins, and its bytes stay',
      async () => {
        for (let round = 0; round < 5; round++) {
          const key = `${freshPrefix()}/race`
          const outcomes = await Promise.all(
            Array.from({ length: 8 }, (_, writer) => store.putIfAbsent(key, new Uint8Array(1000).fill(writer))),
          )
          expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1)
          const bytes = await store.get(key)
          expect(bytes[0]).toBe(outcomes.indexOf('created'))
          expect(bytes.every((byte) => byte === bytes[0])).toBe(true)
        }
      },
    )

    unless(lacks.listing, 'a listing is in byte order, below its prefix only, with sizes', async () => {
      const prefix = freshPrefix()
      const names = ['b', 'a/z', 'a-b', 'a/b/c', 'aa', 'B', 'a.b', 'a/b-c', 'a_b']
      for (const [index, name] of names.entries()) await store.put(`${prefix}/${name}`, new Uint8Array(index))
      const { objects, truncated } = await store.list(`${prefix}/`)
      expect(truncated).toBe(false)
      expect(objects.map(({ key }) => key.slice(prefix.length + 1))).toEqual([...names].sort())
      for (const { key, sizeBytes } of objects) expect(sizeBytes).toBe(names.indexOf(key.slice(prefix.length + 1)))
      const below = await store.list(`${prefix}/a/`)
      expect(below.objects.map(({ key }) => key)).toEqual(['a/b-c', 'a/b/c', 'a/z'].map((name) => `${prefix}/${name}`))
      const partOfName = await store.list(`${prefix}/a-`)
      expect(partOfName.objects.map(({ key }) => key)).toEqual([`${prefix}/a-b`])
      expect((await store.list(`${prefix}/none`)).objects).toEqual([])
    })

    unless(lacks.listing, 'a listing in pages gives every key once, whatever the page size', async () => {
      const prefix = freshPrefix()
      const keys = Array.from(
        { length: 23 },
        (_, i) => `${prefix}/${i % 3 === 0 ? `d${i % 2}/` : ''}k${String(i).padStart(2, '0')}`,
      ).sort()
      for (const key of keys) await store.put(key, Uint8Array.of(1))
      for (const limit of [1, 2, 7, 23, 100]) {
        const seen: string[] = []
        for (let more = true; more; ) {
          const startAfter = seen.at(-1)
          const page = await store.list(`${prefix}/`, { limit, ...(startAfter === undefined ? {} : { startAfter }) })
          expect(page.objects.length).toBeLessThanOrEqual(limit)
          seen.push(...page.objects.map(({ key }) => key))
          more = page.truncated
        }
        expect(seen).toEqual(keys)
      }
      // A start that is no key itself.
      const { objects } = await store.list(`${prefix}/`, { startAfter: `${prefix}/d0/zzz` })
      expect(objects.map(({ key }) => key)).toEqual(keys.filter((key) => key > `${prefix}/d0/zzz`))
    })

    unless(lacks.listing, 'more keys than one answer of the server holds are listed and deleted', async () => {
      const prefix = freshPrefix()
      const keys = Array.from({ length: 1050 }, (_, i) => `${prefix}/${String(i).padStart(5, '0')}`)
      for (let i = 0; i < keys.length; i += 50) {
        await Promise.all(keys.slice(i, i + 50).map((key) => store.put(key, Uint8Array.of(1))))
      }
      const all = await store.list(`${prefix}/`, { limit: 2000 })
      expect(all.objects.map(({ key }) => key)).toEqual(keys)
      await store.delete(keys)
      expect((await store.list(`${prefix}/`)).objects).toEqual([])
    })

    test('an aborted call rejects with aborted and a write leaves nothing', async () => {
      const key = `${freshPrefix()}/aborted`
      const signal = AbortSignal.abort()
      const aborted = { code: 'aborted' }
      await expect(store.put(key, new Uint8Array(10), { signal })).rejects.toMatchObject(aborted)
      await expect(store.putIfAbsent(key, new Uint8Array(10), { signal })).rejects.toMatchObject(aborted)
      await expect(store.get(key, { signal })).rejects.toMatchObject(aborted)
      await expect(store.head(key, { signal })).rejects.toMatchObject(aborted)
      await expect(store.list(`${run}/`, { signal })).rejects.toMatchObject(aborted)
      expect(await store.head(key)).toBeUndefined()
    })
  })
}
