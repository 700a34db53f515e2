import { errorText, StorageError } from '../../base/errors.ts'
import type { Env } from '../../io/env.ts'
import type { ProjectId, TimelineId } from '../../postgres/ids.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { type IngestSource, WalIngest } from '../ingest/wal-ingest.ts'
import {
  type BlockList,
  type BlockRange,
  PageReader,
  type PagesAtLsn,
  type PageTarget,
  pagesAtLsn,
} from './get-pages.ts'
import { LsnWaiters } from './lsn-waiters.ts'
import { PageCache } from './page-cache.ts'
import { RelationSizeReader } from './relation-size.ts'
import type { TimelineStorage } from './timeline-storage.ts'

/** 1024 x 8 KiB = 8 MiB of rebuilt pages for a timeline that has a cache of its own. */
const OWN_CACHED_PAGES_MAX = 1024

/** Damaged WAL may be one SafeKeeper's own: so many tries at one place, then it is taken to be the same everywhere. */
const DAMAGED_TRIES_MAX = 3

/**
 * `active`: takes WAL. `broken`: ingest stopped at a record it cannot apply; reads of what is ingested go on, waits for more
 * fail at once. It is tried again now and then, and active again when it gets past the record.
 */
export type TimelineState = { readonly kind: 'active' } | { readonly kind: 'broken'; readonly reason: string }

export interface TimelineIdentity {
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly systemIdentifier: bigint
  readonly startLsn: Lsn
  readonly ancestor: { readonly timelineId: TimelineId; readonly lsn: Lsn } | undefined
  /** First 296 bytes of initdb's global/pg_control. */
  readonly controlFile: Uint8Array
}

/**
 * One branch of one project: WAL goes in record by record, pages come out at any LSN between the GC cutoff and the last
 * record. Runs on any TimelineStorage: the layered one in production, the in-memory model in tests.
 */
export class Timeline {
  readonly identity: TimelineIdentity
  readonly storage: TimelineStorage
  readonly sizes: RelationSizeReader
  readonly #env: Pick<Env, 'clock' | 'log'>
  readonly #waiters: LsnWaiters
  readonly #pages: PageReader
  #ingest: WalIngest | undefined
  #state: TimelineState = { kind: 'active' }
  #brokenAfterLsn = Lsn.zero
  #damagedTries = 0
  #damagedAfterLsn = Lsn.zero

  constructor(
    env: Pick<Env, 'clock' | 'log'>,
    identity: TimelineIdentity,
    storage: TimelineStorage,
    pageCache = new PageCache(OWN_CACHED_PAGES_MAX),
  ) {
    this.identity = identity
    this.storage = storage
    this.sizes = new RelationSizeReader(storage)
    this.#env = env
    this.#waiters = new LsnWaiters(env.clock, storage.lastRecordLsn)
    this.#pages = new PageReader(storage, this.sizes, pageCache)
  }

  get lastRecordLsn(): Lsn {
    return this.storage.lastRecordLsn
  }

  get state(): TimelineState {
    return this.#state
  }

  /** Rejects with `unavailable` when the LSN is not ingested in time. */
  waitForLsn(lsn: Lsn, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    return this.#waiters.wait(lsn, timeoutMs, signal)
  }

  /** The caller has waited for `lsn`. As PageReader.readNow. */
  readPagesNow(range: BlockRange | BlockList, lsn: Lsn, target: PageTarget): number | undefined {
    return this.#pages.readNow(range, lsn, target)
  }

  /** As PageReader.read. */
  readPages(range: BlockRange | BlockList, lsn: Lsn, target: PageTarget): Promise<number> {
    return this.#pages.read(range, lsn, target)
  }

  /** Pages in a buffer of their own. */
  getPages(range: BlockRange, lsn: Lsn): Promise<PagesAtLsn> {
    return pagesAtLsn(this.#pages, range, lsn)
  }

  /**
   * Takes WAL from `source` until it ends. Returns normally at its end. A record that cannot be applied rejects with an
   * error that names its LSN and makes the timeline `broken`: at once when its kind is unknown, after some tries when its
   * bytes are damaged.
   */
  async ingestFrom(source: IngestSource): Promise<void> {
    const ingest = await this.#openIngest()
    try {
      await ingest.run(source)
    } catch (error) {
      // The in-memory sizes are ahead of the last record, and so may be values already put: start anew.
      this.#ingest = undefined
      this.storage.rollback()
      if (this.#isFatal(error)) this.#break(error)
      throw error
    }
  }

  /** Blocks of all forks at the tip; undefined before ingest was opened. */
  logicalSizeBlocks(): number | undefined {
    return this.#ingest?.totalBlocks()
  }

  async #openIngest(): Promise<WalIngest> {
    this.#ingest ??= await WalIngest.open({
      storage: this.storage,
      systemIdentifier: this.identity.systemIdentifier,
      onAdvance: (lsn) => this.#onAdvance(lsn),
    })
    return this.#ingest
  }

  #onAdvance(lsn: Lsn): void {
    if (this.#state.kind === 'broken' && lsn > this.#brokenAfterLsn) {
      this.#state = { kind: 'active' }
      this.#waiters.recover()
      this.#env.log.info('ingest goes on', { timelineId: this.identity.timelineId, lsn: Lsn.format(lsn) })
    }
    this.#waiters.advance(lsn)
  }

  #break(error: StorageError): void {
    const reason = errorText(error)
    if (this.#state.kind === 'broken' && this.#state.reason === reason) return
    this.#brokenAfterLsn = this.lastRecordLsn
    this.#state = { kind: 'broken', reason }
    this.#waiters.fail(new StorageError('unsupported', `ingest stopped: ${reason}`))
    this.#env.log.error('ingest stopped', { timelineId: this.identity.timelineId, error: reason })
  }

  /** Errors that come back with the same record, whatever is retried. */
  #isFatal(error: unknown): error is StorageError {
    if (!(error instanceof StorageError)) return false
    if (error.code !== 'corruption') return error.code === 'unsupported'
    const isSamePlace = this.#damagedAfterLsn === this.lastRecordLsn
    this.#damagedAfterLsn = this.lastRecordLsn
    this.#damagedTries = isSamePlace ? this.#damagedTries + 1 : 1
    return this.#damagedTries >= DAMAGED_TRIES_MAX
  }
}
