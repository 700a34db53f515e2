import { expect, test } from 'vitest'
import { isStorageError } from '../../base/errors.ts'
import { silentLog } from '../../io/log.ts'
import { nodeDisk } from '../../io/node-disk.ts'
import { openMemoryObjectStore } from '../../object-store/memory-object-store.ts'
import { ProjectId } from '../../postgres/ids.ts'
import { DeletionQueue } from './deletion-queue.ts'
import { Generation } from './generation.ts'

const projectId = ProjectId.parse('0123456789abcdef0123456789abcdef')

test('owners that claim at once get different generations, and only the last stays an owner', async () => {
  const store = openMemoryObjectStore({ disk: nodeDisk })
  const claims = await Promise.all(
    Array.from({ length: 8 }, (_, i) => Generation.claim(store, projectId, `owner ${i}`)),
  )
  const numbers = claims.map((claim) => claim.number).sort((a, b) => a - b)
  expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  for (const claim of claims) {
    if (claim.number === 8) await claim.confirm()
    else await expect(claim.confirm()).rejects.toSatisfy((error) => isStorageError(error, 'fenced'))
  }
})

test('a stale generation deletes nothing', async () => {
  const store = openMemoryObjectStore({ disk: nodeDisk })
  const old = await Generation.claim(store, projectId, 'old')
  await store.put('a/b', new Uint8Array(1))
  await store.put('a/c', new Uint8Array(1))
  const deletions = new DeletionQueue(store, old, silentLog)
  deletions.push(['a/b'])
  await deletions.drain()
  expect(await store.head('a/b')).toBeUndefined()
  await Generation.claim(store, projectId, 'new')
  deletions.push(['a/c'])
  await deletions.drain()
  expect(await store.head('a/c')).toBeDefined()
})
