import { CorruptionError, StorageError } from '../../base/errors.ts'
import type { Random } from '../../io/random.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { ProjectId } from '../../postgres/ids.ts'
import { formatGeneration, generationKey, generationsPrefix } from './object-paths.ts'

const CLAIM_ATTEMPTS_MAX = 64

/**
 * The right to publish and delete for a project. Each PageServer that opens a project claims the next number by
 * put-if-absent; whoever holds the highest one is the owner. An older owner may still run: it learns of its end from
 * `confirm`, which it must call after each index it writes and before each deletion.
 *
 * Why that is enough: an owner deletes only what its own index, written before a successful confirm, no longer names. A
 * newer owner claimed after that confirm, so it loaded that index or a later one.
 */
export class Generation {
  readonly number: number
  readonly #store: ObjectStore
  readonly #projectId: ProjectId
  #isFenced = false

  private constructor(store: ObjectStore, projectId: ProjectId, number: number) {
    this.#store = store
    this.#projectId = projectId
    this.number = number
  }

  /** `owner` is for people who look at the claim. */
  static async claim(
    store: ObjectStore,
    projectId: ProjectId,
    owner: string,
    random: Pick<Random, 'bytes'>,
  ): Promise<Generation> {
    // An attempt whose answer was lost knows its claim by these bytes: no two claims may share them.
    const serial = [...random.bytes(16)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    const claim = new TextEncoder().encode(`${owner} ${serial}`)
    let newest = await newestGeneration(store, projectId, 0)
    for (let attempt = 0; attempt < CLAIM_ATTEMPTS_MAX; attempt++) {
      const number = newest + 1
      const outcome = await store.putIfAbsent(generationKey(projectId, number), claim)
      if (outcome === 'created') return new Generation(store, projectId, number)
      newest = await newestGeneration(store, projectId, number - 1)
    }
    throw new StorageError('conflict', 'other page servers keep claiming this project', { projectId })
  }

  get isFenced(): boolean {
    return this.#isFenced
  }

  /** Throws `fenced` once a newer generation exists, or the claims are gone with the project, and from then on always. */
  async confirm(): Promise<void> {
    if (!this.#isFenced) {
      const newest = await newestGeneration(this.#store, this.#projectId, this.number - 1)
      if (newest !== this.number) this.#isFenced = true
    }
    if (this.#isFenced) {
      throw new StorageError('fenced', 'a newer page server owns this project', {
        projectId: this.#projectId,
        generation: this.number,
      })
    }
  }
}

/** The highest claimed number above `after`, or `after` itself. */
async function newestGeneration(store: ObjectStore, projectId: ProjectId, after: number): Promise<number> {
  const prefix = generationsPrefix(projectId)
  let newest = after
  for (;;) {
    const startAfter = `${prefix}${formatGeneration(newest)}`
    const { objects, truncated } = await store.list(prefix, newest === 0 ? {} : { startAfter })
    const before = newest
    for (const { key } of objects) {
      const text = key.slice(prefix.length)
      if (!/^[0-9a-f]{8}$/.test(text)) throw new CorruptionError('not a generation', { object: key })
      newest = Math.max(newest, Number.parseInt(text, 16))
    }
    if (!truncated || newest === before) return newest
  }
}
