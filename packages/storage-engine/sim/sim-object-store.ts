import { StorageError } from '../src/base/errors.ts'
import type { Disk } from '../src/io/disk.ts'
import { checkObjectKey, checkObjectPrefix, cutRange } from '../src/object-store/object-key.ts'
import type { ObjectInfo, ObjectStore } from '../src/object-store/object-store.ts'
import type { SimLife } from './sim-node.ts'
import type { World } from './world.ts'

export interface ObjectStoreFaults {
  /** Of each call: it fails without effect. */
  failBeforeRate: number
  /** Of each call: it takes effect, and the answer is lost. */
  failAfterRate: number
  /** Of each call: it takes up to `slowMsMax`. */
  slowRate: number
  slowMsMax: number
  /** Of each write whose caller dies while it is under way: it arrives all the same, up to `slowMsMax` later. */
  orphanRate: number
  /** Of each write: its caller is told that it failed, as after a timeout, and it arrives up to `lateMsMax` later. */
  lateRate: number
  lateMsMax: number
}

const CALM: ObjectStoreFaults = {
  failBeforeRate: 0,
  failAfterRate: 0,
  slowRate: 0,
  slowMsMax: 0,
  orphanRate: 0,
  lateRate: 0,
  lateMsMax: 0,
}
const LIST_LIMIT = 1000

/** Objects that outlive every process. A call takes effect at one moment between its start and its answer. */
export class SimObjectStore {
  readonly objects = new Map<string, Uint8Array>()
  readonly #world: World
  faults: ObjectStoreFaults = CALM

  constructor(world: World) {
    this.#world = world
  }

  calm(): void {
    this.faults = CALM
  }

  /** The store as one life sees it; `disk` serves putFile and getFile. */
  of(life: SimLife, disk: Disk): ObjectStore {
    const call = <T>(name: string, isWrite: boolean, apply: () => T): Promise<T> =>
      this.#call(life, name, isWrite, apply)
    const { objects } = this
    return {
      get: (key, options = {}) =>
        call(`get ${key}`, false, () => {
          const bytes = this.#find(key)
          const { start, end } = cutRange(key, bytes.length, options.range)
          return bytes.slice(start, end)
        }),
      head: (key) =>
        call(`head ${key}`, false, (): ObjectInfo | undefined => {
          const bytes = objects.get(key)
          return bytes && { key, sizeBytes: bytes.length }
        }),
      put: (key, bytes) => {
        checkObjectKey(key)
        const copy = bytes.slice()
        return call(`put ${key}`, true, () => void objects.set(key, copy))
      },
      putFile: async (key, path) => {
        checkObjectKey(key)
        const bytes = await disk.readFile(path)
        if (!bytes) throw new StorageError('not-found', 'no such file to upload', { path })
        await call(`put-file ${key}`, true, () => void objects.set(key, bytes))
      },
      getFile: async (key, path) => {
        const bytes = await call(`get-file ${key}`, false, () => this.#find(key))
        await disk.writeFileAtomic(path, bytes)
      },
      putIfAbsent: (key, bytes) => {
        checkObjectKey(key)
        const copy = bytes.slice()
        return call(`put-if-absent ${key}`, true, (): 'created' | 'exists' => {
          if (objects.has(key)) return 'exists'
          objects.set(key, copy)
          return 'created'
        })
      },
      list: (prefix, options = {}) => {
        checkObjectPrefix(prefix)
        const { startAfter = '', limit = LIST_LIMIT } = options
        return call(`list ${prefix}`, false, () => {
          const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > startAfter).sort()
          return {
            objects: keys.slice(0, limit).map((key) => ({ key, sizeBytes: objects.get(key)!.length })),
            truncated: keys.length > limit,
          }
        })
      },
      delete: (keys) =>
        call(`delete ${keys.length} from ${keys[0]}`, true, () => {
          for (const key of keys) objects.delete(key)
        }),
    }
  }

  #find(key: string): Uint8Array {
    checkObjectKey(key)
    const bytes = this.objects.get(key)
    if (!bytes) throw new StorageError('not-found', 'no such object', { key })
    return bytes
  }

  #call<T>(life: SimLife, name: string, isWrite: boolean, apply: () => T): Promise<T> {
    const { random } = this.#world
    const { faults } = this
    const slow = () => (random.chance(faults.slowRate) ? random.between(0, faults.slowMsMax) : random.between(0.2, 4))
    const failsBefore = random.chance(faults.failBeforeRate)
    const failsAfter = random.chance(faults.failAfterRate)
    const wayMs = slow()
    const backMs = slow()
    // A request on the wire does not know that its sender is gone.
    const arrivesOrphaned = isWrite && random.chance(faults.orphanRate)
    const lateMs = isWrite && random.chance(faults.lateRate) ? random.between(0, faults.lateMsMax) : undefined
    return new Promise((resolve, reject) => {
      const failure = () => new StorageError('unavailable', `object store: ${name} failed`)
      this.#world.schedule(wayMs, `${life.name} ${name}`, () => {
        if (!life.isAlive && !arrivesOrphaned) return
        if (lateMs !== undefined) {
          this.#world.schedule(lateMs, `${life.name} ${name} late`, () => {
            try {
              apply()
            } catch {
              // Nobody listens.
            }
          })
          return life.schedule(backMs, `${name} times out`, () => reject(failure()))
        }
        if (failsBefore) return life.schedule(backMs, `${name} fails`, () => reject(failure()))
        let result: T
        try {
          result = apply()
        } catch (error) {
          return life.schedule(backMs, `${name} refused`, () => reject(error))
        }
        life.schedule(backMs, `${name} done`, () => (failsAfter ? reject(failure()) : resolve(result)))
      })
    })
  }
}
