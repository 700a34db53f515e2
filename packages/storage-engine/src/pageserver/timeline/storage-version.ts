import { assert } from '../../base/assert.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import type { LayerMap } from '../layer/layer-map.ts'
import type { OpenLayer } from '../layer/open-layer.ts'

export interface FrozenLayer {
  readonly layer: OpenLayer
  /** Exclusive. */
  readonly afterLsn: Lsn
  /** Inclusive. */
  readonly lastLsn: Lsn
}

/** What a read works on from its first layer to its last. Immutable, but for the open layer, which only grows. */
export interface StorageVersion {
  readonly open: OpenLayer
  /** Newest first. */
  readonly frozen: readonly FrozenLayer[]
  readonly map: LayerMap
}

export interface VersionGuard {
  readonly version: StorageVersion
  release(): void
}

interface Entry {
  readonly version: StorageVersion
  guardCount: number
  /** Of those, the ones that read open and frozen layers. */
  openGuardCount: number
  readonly afterUse: (() => void)[]
}

/**
 * The versions that some read still uses, oldest first; the last is the current one. What a change leaves behind (files,
 * objects) is removed only when no guard is left on the version before the change or on any older one. A layer in memory
 * goes earlier: as soon as no version that a guard is on holds it, so that a long read keeps those that it can see and
 * none that came after.
 */
export class VersionHistory {
  readonly #entries: Entry[]
  /** Layers in memory that have left the current version and wait for reads. */
  #retired: OpenLayer[] = []

  constructor(first: StorageVersion) {
    this.#entries = [newEntry(first)]
  }

  get current(): StorageVersion {
    return this.#entries[this.#entries.length - 1]!.version
  }

  /** The current version and those that some read still works on. */
  get live(): StorageVersion[] {
    return this.#entries.map(({ version }) => version)
  }

  /** With `layersOnly` the layers in memory are not to be read. */
  acquire(options: { readonly layersOnly?: boolean } = {}): VersionGuard {
    const entry = this.#entries[this.#entries.length - 1]!
    const openGuards = options.layersOnly ? 0 : 1
    entry.guardCount++
    entry.openGuardCount += openGuards
    let isHeld = true
    return {
      version: entry.version,
      release: () => {
        if (!isHeld) return
        isHeld = false
        entry.guardCount--
        entry.openGuardCount -= openGuards
        assert(entry.guardCount >= 0, 'a version is released more often than acquired')
        this.#drain()
      },
    }
  }

  /**
   * Makes `next` current. `afterUse` runs once nobody can see the version that was current. Layers in memory that it
   * holds no more are released when no read can see them.
   */
  swap(next: StorageVersion, afterUse?: () => void): void {
    const last = this.#entries[this.#entries.length - 1]!
    if (afterUse) last.afterUse.push(afterUse)
    for (const layer of memoryLayers(last.version)) if (!memoryLayers(next).includes(layer)) this.#retired.push(layer)
    this.#entries.push(newEntry(next))
    this.#drain()
  }

  /** To be called once no read is left and none will come: all layers in memory are released. */
  async close(): Promise<void> {
    const layers = new Set(this.#retired)
    for (const { version } of this.#entries) for (const layer of memoryLayers(version)) layers.add(layer)
    this.#retired = []
    for (const layer of layers) await layer.release()
  }

  #drain(): void {
    while (this.#entries.length > 1 && this.#entries[0]!.guardCount === 0) {
      for (const run of this.#entries.shift()!.afterUse) run()
    }
    if (this.#retired.length === 0) return
    const seen = new Set<OpenLayer>()
    for (const { version, openGuardCount } of this.#entries) {
      if (openGuardCount > 0) for (const layer of memoryLayers(version)) seen.add(layer)
    }
    const unseen = this.#retired.filter((layer) => !seen.has(layer))
    if (unseen.length === 0) return
    this.#retired = this.#retired.filter((layer) => seen.has(layer))
    // The scratch file of a layer that cannot be removed goes at the next start.
    for (const layer of unseen) layer.release().catch(() => undefined)
  }
}

function newEntry(version: StorageVersion): Entry {
  return { version, guardCount: 0, openGuardCount: 0, afterUse: [] }
}

function memoryLayers({ open, frozen }: StorageVersion): OpenLayer[] {
  return [open, ...frozen.map(({ layer }) => layer)]
}
