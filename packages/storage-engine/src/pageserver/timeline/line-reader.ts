import { CorruptionError, errorText } from '../../base/errors.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import { KEY_BYTES } from '../key.ts'
import type { SegmentPages } from '../layer/columnar-segments.ts'
import { type HeldSegments, LayerReads, type MissingSegment, type ReadLink } from './read-layers.ts'
import type { StorageContext } from './storage-context.ts'
import type { ValueChain } from './timeline-storage.ts'

/** The line from a timeline to its root, as its reads see it. */
export interface ReadLine {
  /** Throws unless reads at `lsn` are allowed. */
  requireReadable(lsn: Lsn): void
  /** Throws `aborted` when one of its timelines is closed: what was in memory is gone then. */
  requireOpen(): void
  /** Of no use after the next await. */
  currentLinks(): ReadLink[]
  /** Held until `release`. */
  acquireLinks(): { links: ReadLink[]; release: () => void }
}

/**
 * Reads of one timeline. A read that misses a layer or a segment fetches it and starts again, on the same version; a local
 * copy that turns out to be damaged is thrown away and fetched again, once.
 */
export class LineReader {
  readonly #context: Pick<StorageContext, 'env' | 'layerFiles' | 'columnarSegments' | 'localPages'>
  readonly #line: ReadLine

  constructor(context: Pick<StorageContext, 'env' | 'layerFiles' | 'columnarSegments' | 'localPages'>, line: ReadLine) {
    this.#context = context
    this.#line = line
  }

  collectNow(packedKeys: Uint8Array, keyCount: number, lsn: Lsn, isScan: boolean): ValueChain[] | undefined {
    this.#line.requireReadable(lsn)
    const { layerFiles, columnarSegments } = this.#context
    const reads = new LayerReads(layerFiles, columnarSegments, this.#line.currentLinks(), new Map(), isScan)
    try {
      const chains = reads.collect(packedKeys, keyCount, lsn)
      return reads.isComplete ? chains : undefined
    } catch (error) {
      // A damaged local copy: collect fetches the layer again.
      if (error instanceof CorruptionError && this.#localLayerOf(error) !== undefined) return undefined
      throw error
    }
  }

  collect(packedKeys: Uint8Array, keyCount: number, lsn: Lsn): Promise<ValueChain[]> {
    return this.#read(lsn, (reads) => reads.collect(packedKeys, keyCount, lsn))
  }

  scan(start: Uint8Array, end: Uint8Array, lsn: Lsn): Promise<{ key: Uint8Array; lsn: Lsn; value: Uint8Array }[]> {
    return this.#read(lsn, (reads) => {
      const keys = reads.keys(start, end, lsn)
      const packed = new Uint8Array(keys.length * KEY_BYTES)
      keys.forEach((key, i) => {
        packed.set(key, i * KEY_BYTES)
      })
      const found: { key: Uint8Array; lsn: Lsn; value: Uint8Array }[] = []
      reads.collect(packed, keys.length, lsn).forEach((chain, i) => {
        const isTombstone = chain.values.length === 1 && chain.complete && chain.values[0]!.length === 0
        if (!chain.complete || isTombstone) return
        found.push({ key: keys[i]!, lsn: chain.lsns.at(-1)!, value: chain.values.at(-1)! })
      })
      return found
    })
  }

  async history(key: Uint8Array, fromLsn: Lsn, toLsn: Lsn): Promise<{ lsn: Lsn; value: Uint8Array }[]> {
    const versions = await this.#read(toLsn, (reads) => reads.history(key, fromLsn, toLsn))
    return versions.reverse()
  }

  async #read<T>(lsn: Lsn, run: (reads: LayerReads) => T): Promise<T> {
    this.#line.requireReadable(lsn)
    const { layerFiles, columnarSegments, env } = this.#context
    const { links, release } = this.#line.acquireLinks()
    const healed = new Set<string>()
    const pinned: string[] = []
    const held: HeldSegments = new Map()
    try {
      for (;;) {
        const reads = new LayerReads(layerFiles, columnarSegments, links, held)
        let result: T | undefined
        try {
          result = run(reads)
        } catch (error) {
          const name = error instanceof CorruptionError ? this.#localLayerOf(error) : undefined
          if (name === undefined || healed.has(name)) throw error
          healed.add(name)
          env.log.error('damaged local layer, fetching it again', { error: errorText(error) })
          await layerFiles.drop(name)
          continue
        }
        if (reads.isComplete) return result as T
        await this.#fetchMissing(reads, pinned, held)
        this.#line.requireOpen()
      }
    } finally {
      for (const name of pinned) layerFiles.unpin(name)
      release()
    }
  }

  /** Layers that are here now are added to `pinned`, segments to `held`, also when another cannot be had. */
  async #fetchMissing(reads: LayerReads, pinned: string[], held: HeldSegments): Promise<void> {
    const fetches = await Promise.allSettled([
      ...[...reads.missing.values()].map(async ({ descriptor, place }) => {
        const { name } = descriptor
        await this.#context.layerFiles.pin(descriptor, place.objectKey(descriptor), place.path(name))
        pinned.push(name)
      }),
      ...[...reads.missingSegments.values()].map((missing) => this.#hold(held, missing)),
    ])
    for (const fetch of fetches) if (fetch.status === 'rejected') throw fetch.reason
  }

  /** A layer that turns out to be damaged is passed over by the next attempt, or is its error. */
  async #hold(held: HeldSegments, { descriptor, place, segment }: MissingSegment): Promise<void> {
    const { columnarSegments, localPages } = this.#context
    try {
      localPages.noteRebuild(descriptor, place)
      const pages = await columnarSegments.load(descriptor, place.objectKey(descriptor), segment)
      const ofLayer = held.get(descriptor.name) ?? new Map<number, SegmentPages>()
      held.set(descriptor.name, ofLayer.set(segment, pages))
    } catch (error) {
      if (!columnarSegments.damaged.has(descriptor.name)) throw error
    }
  }

  #localLayerOf(error: CorruptionError): string | undefined {
    const { object } = error.fields
    return typeof object === 'string' && this.#context.layerFiles.isLocal(object) ? object : undefined
  }
}
