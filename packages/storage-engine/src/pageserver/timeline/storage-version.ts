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
  readonly afterUse: (() => void)[]
}

/**
 * The versions that some read still uses, oldest first; the last is the current one. What a change leaves behind (files,
 * objects, scratch) is removed only when no guard is left on the version before the change or on any older one.
 */
export class VersionHistory {
  readonly #entries: Entry[]

  constructor(first: StorageVersion) {
    this.#entries = [{ version: first, guardCount: 0, afterUse: [] }]
  }

  get current(): StorageVersion {
    return this.#entries[this.#entries.length - 1]!.version
  }

  /** The current version and those that some read still works on. */
  get live(): StorageVersion[] {
    return this.#entries.map(({ version }) => version)
  }

  acquire(): VersionGuard {
    const entry = this.#entries[this.#entries.length - 1]!
    entry.guardCount++
    let isHeld = true
    return {
      version: entry.version,
      release: () => {
        if (!isHeld) return
        isHeld = false
        entry.guardCount--
        assert(entry.guardCount >= 0, 'a version is released more often than acquired')
        this.#drain()
      },
    }
  }

  /** Makes `next` current. `afterUse` runs once nobody can see the version that was current. */
  swap(next: StorageVersion, afterUse?: () => void): void {
    if (afterUse) this.#entries[this.#entries.length - 1]!.afterUse.push(afterUse)
    this.#entries.push({ version: next, guardCount: 0, afterUse: [] })
    this.#drain()
  }

  #drain(): void {
    while (this.#entries.length > 1 && this.#entries[0]!.guardCount === 0) {
      for (const run of this.#entries.shift()!.afterUse) run()
    }
  }
}
