import { StorageError } from '../../base/errors.ts'
import { SerialLock } from '../../base/serial-lock.ts'
import { Lsn } from '../../postgres/lsn.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { LayerMap } from '../layer/layer-map.ts'
import { encodeIndex, type TimelineIndex } from '../remote/index-file.ts'
import { assertIndexInvariants } from '../remote/index-invariants.ts'
import { type IndexName, indexKey } from '../remote/index-key.ts'
import type { StorageContext } from './storage-context.ts'

/** A change of what the timeline consists of. Layers named in `added` are in object storage already. */
export interface IndexChange {
  readonly removed?: ReadonlySet<string>
  readonly added?: readonly LayerDescriptor[]
  readonly fields?: Partial<
    Pick<TimelineIndex, 'consistentLsn' | 'gcCutoffLsn' | 'retainedLsns' | 'leases' | 'attributes' | 'damagedLayers'>
  >
}

/** Index files that a newer one has replaced are removed this many at a time. */
const REPLACED_KEYS_MAX = 8

/** The only writer of a timeline's index files. Changes are applied one at a time, each to the outcome of the last. */
export class IndexPublisher {
  readonly #context: StorageContext
  readonly #lock = new SerialLock()
  #index: TimelineIndex
  #map: LayerMap
  /**
   * The index in object storage may be another than `#index`: a write failed, or the newest one is of an owner before
   * this, who may still write another without knowing.
   */
  #isUncertain: boolean
  #settledLsn: Lsn
  /** Every index file that may exist, in the order of their names; all before the last confirmed one are of no use. */
  #keys: string[]
  #isRetired = false

  constructor(context: StorageContext, index: TimelineIndex, keys: readonly string[]) {
    this.#context = context
    this.#keys = [...keys]
    this.#index = { ...index, generation: context.generation.number }
    this.#map = new LayerMap(index.layers)
    this.#isUncertain = index.generation !== context.generation.number
    this.#settledLsn = this.#isUncertain ? Lsn.zero : index.consistentLsn
  }

  get index(): TimelineIndex {
    return this.#index
  }

  get map(): LayerMap {
    return this.#map
  }

  /**
   * The consistent LSN that whoever opens the timeline next finds, or a higher one. Not what a loaded index says before this
   * owner has written its own: one before it may still write another, under a higher name than the one that was loaded.
   */
  get settledLsn(): Lsn {
    return this.#settledLsn
  }

  /**
   * `plan` sees the current state and returns the change, or undefined for none. The new index is written, then the
   * generation confirmed; only then is the change true and `apply` runs, with no await between. When this rejects the
   * index in object storage may be the old or the new one: nothing that either names may be deleted, and the next call
   * writes even when it has nothing to change.
   */
  publish(
    plan: (index: TimelineIndex, map: LayerMap) => IndexChange | undefined,
    apply: (index: TimelineIndex, map: LayerMap) => void,
  ): Promise<boolean> {
    return this.#lock.run(async () => {
      if (this.#isRetired) throw new StorageError('aborted', 'timeline is deleted')
      const change = plan(this.#index, this.#map)
      if (!change && !this.#isUncertain) return false
      const map = this.#map.replace(change?.removed ?? new Set(), change?.added ?? [])
      const fields = { ...this.#index, ...change?.fields }
      const damagedLayers = fields.damagedLayers.filter(({ name }) => !change?.removed?.has(name))
      const next: TimelineIndex = { ...fields, layers: map.layers, damagedLayers }
      assertIndexInvariants(next, map)
      await this.#write('index', encodeIndex(next))
      this.#isUncertain = false
      this.#settledLsn = next.consistentLsn
      this.#index = next
      this.#map = map
      apply(next, map)
      return true
    })
  }

  /** Writes the last word on the timeline: it is deleted. Nothing is published from then on, even when this rejects. */
  async retire(lastWord: Uint8Array): Promise<string> {
    this.#isRetired = true
    return this.#lock.run(() => this.#write('deletion', lastWord))
  }

  /** Under a name that no other write has or had, which is the answer once the generation is confirmed after it. */
  async #write(kind: IndexName['kind'], bytes: Uint8Array): Promise<string> {
    const { store, generation, projectId, deletions } = this.#context
    const name = { generation: generation.number, sequence: this.#context.newIndexSequence(), kind }
    const key = indexKey(projectId, this.#index.timelineId, name)
    const replaced = this.#keys
    this.#keys = [...replaced, key]
    try {
      await store.put(key, bytes)
      await generation.confirm()
    } catch (error) {
      this.#isUncertain = true
      throw error
    }
    if (replaced.length >= REPLACED_KEYS_MAX) {
      this.#keys = [key]
      deletions.push(replaced)
    }
    return key
  }

  /**
   * Makes sure that no failed write hides another state in object storage: what others build on must survive a restart.
   * Does not wait for a write that is under way: one that moves the GC cutoff is excluded by the branch lock, and any
   * other leaves the same LSNs readable whether it takes effect or not.
   */
  async settle(): Promise<void> {
    if (!this.#isUncertain) return
    await this.publish(
      () => undefined,
      () => undefined,
    )
  }
}
