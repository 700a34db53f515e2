import { assert } from '../../base/assert.ts'
import { StorageError } from '../../base/errors.ts'
import type { TimelineId } from '../../postgres/ids.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { formatKey, KEY_BYTES } from '../key.ts'
import type { TimelineStorage, ValueChain } from './timeline-storage.ts'

interface Version {
  readonly lsn: Lsn
  readonly willInit: boolean
  readonly value: Uint8Array
}

/**
 * TimelineStorage as its interface describes it, in memory and without layers: the model that tests of ingest and reads
 * stand on, and that the layered store is compared with.
 */
export class MemoryTimelineStorage implements TimelineStorage {
  readonly timelineId: TimelineId
  readonly ancestor: { readonly storage: MemoryTimelineStorage; readonly lsn: Lsn } | undefined
  readonly #versions = new Map<string, Version[]>()
  #lastRecordLsn: Lsn
  #putLsnMax: Lsn = Lsn.zero
  gcCutoffLsn: Lsn = Lsn.zero

  constructor(
    timelineId: TimelineId,
    startLsn: Lsn,
    ancestor?: { readonly storage: MemoryTimelineStorage; readonly lsn: Lsn },
  ) {
    this.timelineId = timelineId
    this.#lastRecordLsn = startLsn
    this.ancestor = ancestor
  }

  get lastRecordLsn(): Lsn {
    return this.#lastRecordLsn
  }

  get remoteConsistentLsn(): Lsn {
    return this.#lastRecordLsn
  }

  put(key: Uint8Array, lsn: Lsn, willInit: boolean, value: Uint8Array): void {
    assert(key.length === KEY_BYTES, 'key has the wrong length')
    const name = formatKey(key)
    const versions = this.#versions.get(name) ?? []
    const last = versions.at(-1)
    assert(last === undefined || last.lsn < lsn, () => `two values of ${name} at ${Lsn.format(lsn)}`)
    versions.push({ lsn, willInit, value: value.slice() })
    this.#versions.set(name, versions)
    this.#putLsnMax = Lsn.max2(this.#putLsnMax, lsn)
  }

  advance(lsn: Lsn): void {
    assert(lsn >= this.#lastRecordLsn, 'last record lsn goes back')
    assert(lsn >= this.#putLsnMax, 'a value lies beyond the last record')
    this.#lastRecordLsn = lsn
  }

  rollback(): void {
    for (const versions of this.#versions.values()) {
      while (versions.length > 0 && versions.at(-1)!.lsn > this.#lastRecordLsn) versions.pop()
    }
    this.#putLsnMax = this.#lastRecordLsn
  }

  ready(): Promise<void> {
    return Promise.resolve()
  }

  collect(packedKeys: Uint8Array, keyCount: number, lsn: Lsn): Promise<ValueChain[]> {
    return Promise.resolve(this.collectNow(packedKeys, keyCount, lsn))
  }

  collectNow(packedKeys: Uint8Array, keyCount: number, lsn: Lsn): ValueChain[] {
    if (lsn < this.gcCutoffLsn) throw new StorageError('not-found', 'lsn is older than the history kept')
    const chains: ValueChain[] = []
    for (let i = 0; i < keyCount; i++) {
      chains.push(this.#chain(formatKey(packedKeys.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES)), lsn))
    }
    return chains
  }

  scan(start: Uint8Array, end: Uint8Array, lsn: Lsn): Promise<{ key: Uint8Array; lsn: Lsn; value: Uint8Array }[]> {
    const from = formatKey(start)
    const to = formatKey(end)
    const names = new Set<string>()
    for (let storage: MemoryTimelineStorage | undefined = this; storage; storage = storage.ancestor?.storage) {
      for (const name of storage.#versions.keys()) if (name >= from && name < to) names.add(name)
    }
    const found = []
    for (const name of [...names].sort()) {
      const chain = this.#chain(name, lsn)
      const newest = chain.values[0]
      if (newest === undefined || (chain.values.length === 1 && newest.length === 0)) continue
      found.push({
        key: Uint8Array.from(Buffer.from(name, 'hex')),
        lsn: chain.lsns.at(-1)!,
        value: chain.values.at(-1)!,
      })
    }
    return Promise.resolve(found)
  }

  history(key: Uint8Array, fromLsn: Lsn, toLsn: Lsn): Promise<{ lsn: Lsn; value: Uint8Array }[]> {
    const older = this.ancestor
      ? this.ancestor.storage.history(key, fromLsn, Lsn.min(toLsn, this.ancestor.lsn))
      : Promise.resolve([])
    const own = (this.#versions.get(formatKey(key)) ?? []).filter(({ lsn }) => lsn > fromLsn && lsn <= toLsn)
    return older.then((versions) => [...versions, ...own.map(({ lsn, value }) => ({ lsn, value }))])
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  /** Versions written so far, for tests that look at what ingest wrote. */
  versions(key: Uint8Array): readonly { lsn: Lsn; willInit: boolean; value: Uint8Array }[] {
    return this.#versions.get(formatKey(key)) ?? []
  }

  #chain(name: string, lsn: Lsn): ValueChain {
    const lsns: Lsn[] = []
    const values: Uint8Array[] = []
    let bound = lsn
    for (let storage: MemoryTimelineStorage | undefined = this; storage; ) {
      const versions = storage.#versions.get(name) ?? []
      for (let i = versions.length - 1; i >= 0; i--) {
        const version = versions[i]!
        if (version.lsn > bound) continue
        lsns.push(version.lsn)
        values.push(version.value)
        if (version.willInit) return { lsns, values, complete: true }
      }
      const ancestor: { storage: MemoryTimelineStorage; lsn: Lsn } | undefined = storage.ancestor
      if (ancestor) bound = Lsn.min(bound, ancestor.lsn)
      storage = ancestor?.storage
    }
    return { lsns, values, complete: false }
  }
}
