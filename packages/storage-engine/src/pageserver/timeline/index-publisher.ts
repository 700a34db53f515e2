import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { LayerMap } from '../layer/layer-map.ts'
import { encodeIndex, type TimelineIndex } from '../remote/index-file.ts'
import { assertIndexInvariants } from '../remote/index-invariants.ts'
import { indexKey } from '../remote/object-paths.ts'
import { SerialLock } from './serial-lock.ts'
import type { StorageContext } from './storage-context.ts'

/** A change of what the timeline consists of. Layers named in `added` are in object storage already. */
export interface IndexChange {
  readonly removed?: ReadonlySet<string>
  readonly added?: readonly LayerDescriptor[]
  readonly fields?: Partial<
    Pick<TimelineIndex, 'consistentLsn' | 'gcCutoffLsn' | 'retainedLsns' | 'leases' | 'attributes'>
  >
}

/** The only writer of a timeline's index file. Changes are applied one at a time, each to the outcome of the last. */
export class IndexPublisher {
  readonly #context: StorageContext
  readonly #lock = new SerialLock()
  #index: TimelineIndex
  #map: LayerMap
  /**
   * The index in object storage may be another than `#index`: a write failed, or the newest one is of an owner before
   * this, who may still write it once more without knowing.
   */
  #isUncertain: boolean

  constructor(context: StorageContext, index: TimelineIndex) {
    this.#context = context
    this.#index = { ...index, generation: context.generation.number }
    this.#map = new LayerMap(index.layers)
    this.#isUncertain = index.generation !== context.generation.number
  }

  get index(): TimelineIndex {
    return this.#index
  }

  get map(): LayerMap {
    return this.#map
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
      const change = plan(this.#index, this.#map)
      if (!change && !this.#isUncertain) return false
      const { store, generation, projectId } = this.#context
      const map = this.#map.replace(change?.removed ?? new Set(), change?.added ?? [])
      const next: TimelineIndex = { ...this.#index, ...change?.fields, layers: map.layers }
      assertIndexInvariants(next, map)
      try {
        await store.put(indexKey(projectId, next.timelineId, generation.number), encodeIndex(next))
        await generation.confirm()
      } catch (error) {
        this.#isUncertain = true
        throw error
      }
      this.#isUncertain = false
      this.#index = next
      this.#map = map
      apply(next, map)
      return true
    })
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
