import { isStorageError } from '../src/base/errors.ts'
import { type Log, silentLog } from '../src/io/log.ts'
import type { Workers } from '../src/io/workers.ts'
import type { ObjectStore } from '../src/object-store/object-store.ts'
import { materializeValue } from '../src/pageserver/materialize-value.ts'
import { openStorage, type ProjectOptions } from '../src/pageserver/open-project.ts'
import { PageServerService } from '../src/pageserver/pageserver-service.ts'
import { writeProjectFile } from '../src/pageserver/project-file.ts'
import type { StorageSettings } from '../src/pageserver/timeline/storage-settings.ts'
import { openInlineUpkeepWorkers } from '../src/pageserver/upkeep/inline-workers.ts'
import { openWalArchive } from '../src/pageserver/wal-archive.ts'
import { identity } from './cluster.ts'
import { SEED_TIME_MICROS, seedTimeline } from './log-model.ts'
import { SimVolume } from './sim-disk.ts'
import type { SimNetwork } from './sim-network.ts'
import { SimLife, simEnv } from './sim-node.ts'
import { SimObjectStore } from './sim-object-store.ts'
import type { World } from './world.ts'

/** So small that a short log makes many layers. */
const SETTINGS: Partial<StorageSettings> = {
  openLayerBytesMax: 24 * 1024,
  openLayerWalBytesMax: 64 * 1024,
  openLayerAgeMsMax: 700,
  openLayerResidentBytesMax: 1024 * 1024,
  layerFilesBytesMax: 64 * 1024,
  blockCacheBytesMax: 64 * 1024,
  layerBytesTarget: 12 * 1024,
  level0LayersMax: 3,
  mergeInputsMax: 4,
  imageDeltaLayersMax: 2,
}

/** What a test changes to see whether the checkers notice. */
export type StoreMutant = (store: ObjectStore, life: SimLife) => ObjectStore

/** The real PageServer over simulated seams, life after life. Object storage outlives them all. */
export class SimPageServer {
  readonly store: SimObjectStore
  readonly #world: World
  readonly #network: SimNetwork
  readonly #safekeeperNames: readonly string[]
  readonly #mutant: StoreMutant
  #volume = new SimVolume()
  #lifeCount = 0
  life: SimLife | undefined
  service: PageServerService | undefined
  /** Lives that a newer one has replaced and that do not know yet. */
  #zombies: SimLife[] = []
  /** What no fault excuses: the log says it, a test fails with it. */
  failure: string | undefined

  constructor(world: World, network: SimNetwork, safekeeperNames: readonly string[], mutant: StoreMutant) {
    this.#world = world
    this.#network = network
    this.#safekeeperNames = safekeeperNames
    this.#mutant = mutant
    this.store = new SimObjectStore(world)
  }

  get isUp(): boolean {
    return this.life?.isAlive ?? false
  }

  /** Makes the project, as initdb would, in object storage. */
  async create(pitrWindowSeconds: number): Promise<void> {
    const life = new SimLife(this.#world, 'setup')
    const options = this.#options(life, new SimVolume())
    const { projectId, timelineId, systemIdentifier, startLsn } = identity
    const project = await openStorage(options, { projectId })
    const storage = await project.createTimeline({ timelineId, startLsn })
    seedTimeline(storage, startLsn, SEED_TIME_MICROS)
    await storage.flush()
    await writeProjectFile(options.objectStore, {
      formatVersion: 1,
      projectId,
      rootTimelineId: timelineId,
      systemIdentifier: systemIdentifier.toString(),
      controlFile: btoa('no control file'),
      pitrWindowSeconds,
    })
    life.kill()
  }

  /** Starts a life, on the disk of the last one or, while that one goes on unaware, on another. */
  async boot(): Promise<void> {
    if (this.life?.isAlive) {
      this.#zombies.push(this.life)
      this.#volume = new SimVolume()
    }
    const life = new SimLife(this.#world, `ps${++this.#lifeCount}`)
    this.life = life
    this.service = undefined
    const service = await PageServerService.open({
      ...this.#options(life, this.#volume),
      initdb: () => Promise.reject(new Error('no initdb here')),
    })
    if (life.isAlive && this.life === life) this.service = service
  }

  /** kill -9, loss of power (unsynced local files are torn), or loss of the disk. */
  crash(kind: 'process' | 'power' | 'disk'): void {
    if (!this.life?.isAlive) return
    this.#world.note(`crash ${this.life.name} ${kind}`)
    this.life.kill()
    this.service = undefined
    if (kind === 'power') this.#volume.crash(this.#world.random)
    if (kind === 'disk') this.#volume = new SimVolume()
  }

  killZombies(): void {
    for (const zombie of this.#zombies) zombie.kill()
    this.#zombies = []
  }

  #options(life: SimLife, volume: SimVolume): ProjectOptions {
    const env = simEnv(life, volume, this.#network, this.#log(life))
    const objectStore = this.#mutant(this.store.of(life, env.disk), life)
    return {
      env,
      objectStore,
      workers: pausing(openInlineUpkeepWorkers(env.disk, materializeValue), life),
      directory: '/ps',
      safekeepers: this.#safekeeperNames.map((host, index) => ({ id: index + 1, host, port: 1 })),
      archive: openWalArchive(objectStore),
      storageSettings: SETTINGS,
    }
  }

  #log(life: SimLife): Log {
    const log: Log = {
      ...silentLog,
      warn: (message, fields) => this.#world.note(`${life.name} warns: ${message} ${JSON.stringify(fields ?? {})}`),
      error: (message, fields) => {
        this.#world.note(`${life.name} error: ${message} ${JSON.stringify(fields ?? {})}`)
        const isStale = this.life !== life
        if (!isStale && /for good|ingest stopped/.test(message))
          this.failure ??= `${life.name}: ${message} ${JSON.stringify(fields)}`
      },
      child: () => log,
    }
    return log
  }
}

/** Work on another thread takes time on both sides of it. */
function pausing(workers: Workers, life: SimLife): Workers {
  return {
    async run<Payload, Result>(task: string, payload: Payload): Promise<Result> {
      await life.pause(life.world.random.between(0.1, 5), `start ${task}`)
      const result = await workers.run<Payload, Result>(task, payload)
      await life.pause(life.world.random.between(0.1, 2), `end ${task}`)
      return result
    },
    close: () => workers.close(),
  }
}

/** A failure that a fault explains: the caller would try again. */
export function isExcused(error: unknown): boolean {
  return isStorageError(error, 'unavailable') || isStorageError(error, 'aborted') || isStorageError(error, 'fenced')
}
