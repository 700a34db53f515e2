import { expect, test } from 'vitest'
import { isStorageError, StorageError } from '../../base/errors.ts'
import { silentLog } from '../../io/log.ts'
import { nodeClock } from '../../io/node-clock.ts'
import { nodeDisk } from '../../io/node-disk.ts'
import { nodeRandom } from '../../io/node-random.ts'
import { openMemoryObjectStore } from '../../object-store/memory-object-store.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { retryObjectStore } from '../../object-store/retrying-object-store.ts'
import { ProjectId } from '../../postgres/ids.ts'
import { DeletionQueue } from './deletion-queue.ts'
import { Generation } from './generation.ts'

const projectId = ProjectId.parse('0123456789abcdef0123456789abcdef')

test('owners that claim at once get different generations, and only the last stays an owner', async () => {
  const store = openMemoryObjectStore({ disk: nodeDisk })
  const claims = await Promise.all(
    Array.from({ length: 8 }, (_, i) => Generation.claim(store, projectId, `owner ${i}`, nodeRandom)),
  )
  const numbers = claims.map((claim) => claim.number).sort((a, b) => a - b)
  expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  for (const claim of claims) {
    if (claim.number === 8) await claim.confirm()
    else await expect(claim.confirm()).rejects.toSatisfy((error) => isStorageError(error, 'fenced'))
  }
})

test('an owner whose claim is repeated never takes the generation of another for its own', async () => {
  const inner = openMemoryObjectStore({ disk: nodeDisk })
  let before: (() => Promise<unknown>) | undefined = () => Generation.claim(inner, projectId, 'pageserver', nodeRandom)
  const flaky: ObjectStore = {
    ...inner,
    putIfAbsent: async (key, bytes) => {
      if (!before) return inner.putIfAbsent(key, bytes)
      // The first attempt is lost on its way, and another owner is faster than the second.
      const other = before
      before = undefined
      await other()
      throw new StorageError('unavailable', 'lost')
    },
  }
  const store = retryObjectStore(flaky, { clock: nodeClock, random: nodeRandom, log: silentLog })
  const claim = await Generation.claim(store, projectId, 'pageserver', nodeRandom)
  expect(claim.number).toBe(2)
})

test('an owner of a project whose claims are gone is no owner any more', async () => {
  const store = openMemoryObjectStore({ disk: nodeDisk })
  const claim = await Generation.claim(store, projectId, 'pageserver', nodeRandom)
  await claim.confirm()
  await store.delete((await store.list('')).objects.map(({ key }) => key))
  await expect(claim.confirm()).rejects.toSatisfy((error) => isStorageError(error, 'fenced'))
})

test('a stale generation deletes nothing', async () => {
  const store = openMemoryObjectStore({ disk: nodeDisk })
  const old = await Generation.claim(store, projectId, 'old', nodeRandom)
  await store.put('a/b', new Uint8Array(1))
  await store.put('a/c', new Uint8Array(1))
  const deletions = new DeletionQueue(store, old, silentLog)
  deletions.push(['a/b'])
  await deletions.drain()
  expect(await store.head('a/b')).toBeUndefined()
  await Generation.claim(store, projectId, 'new', nodeRandom)
  deletions.push(['a/c'])
  await deletions.drain()
  expect(await store.head('a/c')).toBeDefined()
})
