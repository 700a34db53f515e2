import { CorruptionError, errorText, StorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { TermHistory } from '../protocol/safekeeper-messages.ts'
import type { AcceptorStepFunction } from './acceptor.ts'
import { AcceptorService } from './acceptor-service.ts'
import { controlPath } from './timeline-folder.ts'
import type { TimelineIdentity } from './timeline-identity.ts'

/**
 * The timelines of one SafeKeeper: `<data>/timelines/<project>/<timeline>/{control,wal/}`. A folder without a control file
 * is a creation that a crash cut off; it is removed. One whose control file or WAL is damaged is kept and reported: it
 * takes no part until a person or a rebuild has dealt with it. One that could not be opened for another reason, such as a
 * disk that did not answer, is tried again.
 */
export interface RegistryOptions {
  readonly env: Pick<Env, 'clock' | 'disk' | 'log'>
  readonly nodeId: number
  readonly dataDirectory: string
  readonly allocation: 'zero-fill' | 'sparse'
  readonly step?: AcceptorStepFunction
}

const OPEN_RETRY_MS = 2000

export class TimelineRegistry {
  readonly #options: RegistryOptions
  readonly #timelines = new Map<TimelineId, AcceptorService>()
  readonly #damaged = new Map<TimelineId, { directory: string; error: string }>()
  /** Those that are being rebuilt, and whether they were deleted meanwhile. */
  readonly #building = new Map<TimelineId, { isDeleted: boolean }>()
  readonly #closing = new AbortController()
  readonly #creating = new Map<TimelineId, Promise<AcceptorService>>()
  readonly #listeners = new Set<(timeline: AcceptorService) => void>()

  private constructor(options: RegistryOptions) {
    this.#options = options
  }

  static async open(options: RegistryOptions): Promise<TimelineRegistry> {
    const registry = new TimelineRegistry(options)
    const { disk, log } = options.env
    const root = `${options.dataDirectory}/timelines`
    await disk.makeDirectory(root)
    for (const project of await disk.list(root)) {
      for (const timeline of await disk.list(`${root}/${project}`)) {
        const directory = `${root}/${project}/${timeline}`
        if ((await disk.stat(controlPath(directory))) === undefined) {
          await disk.removeTree(directory)
          continue
        }
        const timelineId = TimelineId.parse(timeline)
        try {
          registry.#add(await AcceptorService.open(registry.#serviceOptions(ProjectId.parse(project), timelineId)))
        } catch (error) {
          log.error('timeline is damaged', { timelineId, error: errorText(error) })
          registry.#damaged.set(timelineId, { directory, error: errorText(error) })
          if (!(error instanceof CorruptionError)) void registry.#openLater(ProjectId.parse(project), timelineId)
        }
      }
    }
    return registry
  }

  list(): AcceptorService[] {
    return [...this.#timelines.values()]
  }

  damaged(): { timelineId: TimelineId; error: string }[] {
    return [...this.#damaged].map(([timelineId, { error }]) => ({ timelineId, error }))
  }

  /** Timelines that are here and can tell nobody what they hold. */
  get unusableCount(): number {
    return this.#damaged.size + this.list().filter(({ failure }) => failure !== undefined).length
  }

  get(timelineId: TimelineId): AcceptorService | undefined {
    return this.#timelines.get(timelineId)
  }

  /** Calls `listener` with each timeline that appears from now on. */
  onCreate(listener: (timeline: AcceptorService) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Repeating it with the same identity gives the timeline that is there; another identity is a `conflict`. */
  async create(identity: TimelineIdentity): Promise<AcceptorService> {
    const { timelineId } = identity
    const known = this.#timelines.get(timelineId) ?? (await this.#creating.get(timelineId))
    if (known !== undefined) return sameIdentity(known, identity)
    const created = this.#create(identity)
    this.#creating.set(timelineId, created)
    try {
      return await created
    } finally {
      this.#creating.delete(timelineId)
    }
  }

  /**
   * A timeline rebuilt from peers: `fill` writes its WAL, then terms and history become durable, and only then can a
   * proposer find it. A crash before leaves a folder without a control file of its own name.
   */
  async rebuild(
    identity: TimelineIdentity,
    adopted: { term: number; history: TermHistory; commitLsn: Lsn },
    fill: (timeline: AcceptorService) => Promise<void>,
  ): Promise<AcceptorService> {
    const { disk } = this.#options.env
    const options = this.#serviceOptions(identity.projectId, identity.timelineId)
    const building = `${this.#options.dataDirectory}/rebuilding/${identity.timelineId}`
    await disk.removeTree(building)
    await disk.makeDirectory(building)
    const mark = { isDeleted: false }
    this.#building.set(identity.timelineId, mark)
    try {
      const timeline = await AcceptorService.create({ ...options, directory: building }, identity)
      try {
        await fill(timeline)
        await timeline.finishAdoption(adopted)
      } finally {
        await timeline.close()
      }
    } finally {
      this.#building.delete(identity.timelineId)
    }
    if (mark.isDeleted) {
      await disk.removeTree(building)
      throw new StorageError('aborted', 'timeline was deleted while it was rebuilt', {
        timelineId: identity.timelineId,
      })
    }
    await disk.removeTree(options.directory)
    await disk.makeDirectory(parentOf(options.directory))
    await disk.rename(building, options.directory)
    await disk.syncDirectory(parentOf(options.directory))
    this.#damaged.delete(identity.timelineId)
    return this.#add(await AcceptorService.open(options))
  }

  async delete(projectId: ProjectId, timelineId: TimelineId): Promise<void> {
    const timeline = this.#timelines.get(timelineId)
    if (timeline !== undefined && timeline.identity.projectId !== projectId) {
      throw new StorageError('not-found', 'no such timeline in this project', { timelineId })
    }
    this.#timelines.delete(timelineId)
    const building = this.#building.get(timelineId)
    if (building) building.isDeleted = true
    await timeline?.close()
    const damaged = this.#damaged.get(timelineId)
    this.#damaged.delete(timelineId)
    const directory = damaged?.directory ?? this.#directory(projectId, timelineId)
    // The control file goes first: what a crash leaves behind is then no timeline.
    await this.#options.env.disk.remove(controlPath(directory))
    await this.#options.env.disk.removeTree(directory)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.list().map((timeline) => timeline.close()))
  }

  async #openLater(projectId: ProjectId, timelineId: TimelineId): Promise<void> {
    const { clock, log } = this.#options.env
    const { signal } = this.#closing
    const entry = this.#damaged.get(timelineId)
    const isWanted = () => !signal.aborted && entry !== undefined && this.#damaged.get(timelineId) === entry
    for (;;) {
      await clock.sleep(OPEN_RETRY_MS, { signal }).catch(() => undefined)
      if (!isWanted()) return
      try {
        const timeline = await AcceptorService.open(this.#serviceOptions(projectId, timelineId), { isRetried: true })
        if (!isWanted()) return void (await timeline.close())
        this.#damaged.delete(timelineId)
        this.#add(timeline)
        log.info('timeline is open after all', { timelineId })
        return
      } catch (error) {
        log.error('timeline is damaged', { timelineId, error: errorText(error) })
        if (isWanted()) entry!.error = errorText(error)
        if (error instanceof CorruptionError) return
      }
    }
  }

  async #create(identity: TimelineIdentity): Promise<AcceptorService> {
    const damaged = this.#damaged.get(identity.timelineId)
    if (damaged !== undefined) throw new StorageError('conflict', `timeline is damaged here: ${damaged.error}`)
    const options = this.#serviceOptions(identity.projectId, identity.timelineId)
    this.#options.env.log.info('timeline created', {
      timelineId: identity.timelineId,
      startLsn: Lsn.format(identity.startLsn),
    })
    return this.#add(await AcceptorService.create(options, identity))
  }

  #add(timeline: AcceptorService): AcceptorService {
    this.#timelines.set(timeline.identity.timelineId, timeline)
    for (const listener of this.#listeners) listener(timeline)
    return timeline
  }

  #directory(projectId: ProjectId, timelineId: TimelineId): string {
    return `${this.#options.dataDirectory}/timelines/${projectId}/${timelineId}`
  }

  #serviceOptions(projectId: ProjectId, timelineId: TimelineId) {
    const { env, nodeId, allocation, step } = this.#options
    const directory = this.#directory(projectId, timelineId)
    return { env, nodeId, allocation, directory, ...(step === undefined ? {} : { step }) }
  }
}

function sameIdentity(timeline: AcceptorService, identity: TimelineIdentity): AcceptorService {
  const known = timeline.identity
  const isSame =
    known.projectId === identity.projectId &&
    known.systemIdentifier === identity.systemIdentifier &&
    known.startLsn === identity.startLsn
  if (isSame) return timeline
  throw new StorageError('conflict', 'timeline exists with another identity', {
    timelineId: known.timelineId,
    startLsn: Lsn.format(known.startLsn),
    systemIdentifier: known.systemIdentifier.toString(),
  })
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
