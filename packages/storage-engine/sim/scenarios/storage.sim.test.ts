import { expect, test } from 'vitest'
import { runCluster } from '../cluster-run.ts'
import { PromiseBroken } from '../commit-checker.ts'
import type { StoreMutant } from '../sim-pageserver.ts'

const SEEDS = 50
/** They have shown faults that are mended. */
const SEEDS_THAT_FAILED = [7_110_008]
/** Virtual. */
const FAULT_MS = 4000

test(`every page at every kept LSN equals the replay of the whole log, whatever fails (${SEEDS} seeds)`, async () => {
  let checks = 0
  let upkeeps = 0
  let branches = 0
  let crashes = 0
  const seeds = Array.from({ length: SEEDS }, (_, i) => i + 1)
  for (const seed of [...seeds, ...SEEDS_THAT_FAILED]) {
    try {
      const faultMs = seed > SEEDS ? {} : { faultMs: FAULT_MS }
      const result = await runCluster({ seed, pageserver: true, ...faultMs })
      checks += result.checks
      upkeeps += result.upkeeps
      branches += result.branches
      crashes += result.crashes
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error })
    }
  }
  // A simulation in which nothing happens proves nothing.
  expect(checks).toBeGreaterThan(500)
  expect(upkeeps).toBeGreaterThan(300)
  expect(branches).toBeGreaterThan(30)
  expect(crashes).toBeGreaterThan(200)
})

test('with a PageServer, too, the same seed gives the same trace, clock and next random number', async () => {
  for (const seed of [4, 9]) {
    const first = await runCluster({ seed, pageserver: true, faultMs: FAULT_MS })
    expect(first.eventCount).toBeGreaterThan(1000)
    expect(await runCluster({ seed, pageserver: true, faultMs: FAULT_MS })).toEqual(first)
  }
})

/** Each breaks a rule of the PageServer through what it sees of object storage; the checkers must notice. */
const mutants: Readonly<Record<string, StoreMutant>> = {
  'a layer counts as uploaded before it is there': (store, life) => ({
    ...store,
    putFile: async (key, path, options) => {
      const upload = store.putFile(key, path, options)
      upload.catch(() => undefined)
      await life.pause(0.1, 'claims the upload')
    },
  }),
  'all index writes of an owner share a name': (store) => ({
    ...store,
    put: (key, bytes, options) =>
      store.put(key.replace(/(index-\w{8})-\w{8}\.json$/, '$1-00000001.json'), bytes, options),
  }),
  'objects are deleted though the index that names them may count': (store) => ({
    ...store,
    // Nobody is told of an owner after him: his own claim is all that he sees.
    list: async (prefix, options) => {
      const answer = await store.list(prefix, options)
      const isConfirmation = prefix.endsWith('/generations/') && options?.startAfter !== undefined
      return isConfirmation ? { objects: answer.objects.slice(0, 1), truncated: false } : answer
    },
  }),
}

for (const [title, storeMutant] of Object.entries(mutants)) {
  test(`the simulation finds the mutant: ${title}`, async () => {
    let found: unknown
    for (let seed = 1; seed <= 60 && !(found instanceof PromiseBroken); seed++) {
      await runCluster({ seed, pageserver: true, storeMutant, stress: 'takeover', faultMs: FAULT_MS }).catch(
        (error: unknown) => {
          found = error
        },
      )
    }
    expect(found).toBeInstanceOf(PromiseBroken)
  })
}
