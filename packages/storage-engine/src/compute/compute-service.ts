import * as fs from 'node:fs'
import * as path from 'node:path'
import type { ComputeActivity } from '../admin/compute-driver.ts'
import { errorText, isStorageError, StorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import { CommitLog } from '../postgres/commit-log.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { xidOfFullXid } from '../postgres/xid.ts'
import type { BootBundle } from '../protocol/boot-bundle.ts'
import type { ComputeState, ComputeStatus, DatabaseSpec, RoleSpec } from '../protocol/compute-control.ts'
import { ComputeExit } from '../protocol/compute-control.ts'
import { ActivitySampler } from './activity-sampler.ts'
import type { ComputeParts, PageMount, PageSource } from './compute-parts.ts'
import { type Account, relationTreeOf, writeDataDir } from './data-dir.ts'
import { withHints } from './hinted-pages.ts'
import { hydrate, type UsePages } from './hydrate.ts'
import { verifierStatements } from './local-verifiers.ts'
import { LsnLeaseKeeper } from './lsn-lease-keeper.ts'
import { type ComputeMode, chooseMode } from './mode.ts'
import { Phases } from './phases.ts'
import { PostgresServer } from './postgres-server.ts'
import { postgresConf } from './postgres-settings.ts'
import type { IngestLag, QuorumLog } from './quorum-log.ts'
import { QuorumStream } from './quorum-stream.ts'
import { applyDatabase, applyRole, ensurePassword, revokeSignalFunctions } from './role-setup.ts'
import { type SynthesizedCheckpoint, synthesizeCheckpoint } from './synth-checkpoint.ts'

export interface ComputeOptions {
  readonly computeId: string
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  /** Made by the compute, of no use after it. */
  readonly folder: string
  readonly socketFolder: string
  readonly host: string
  readonly httpPort: number
  readonly postgresPort: number
  readonly postgresPassword: string
  readonly mode: 'auto' | ComputeMode
  /** Reads only, at this LSN; no quorum is asked. */
  readonly readOnlyLsn: Lsn | undefined
  /** Postgres runs as this account; undefined: as this process. */
  readonly account: Account | undefined
  /** postgresql.conf, checked by the caller. */
  readonly settings: Readonly<Record<string, string>>
  /** Read-only computes: verifiers that stand instead of those at the LSN, by role. */
  readonly roleVerifiers?: Readonly<Record<string, string>>
  /** Put before the server's command, for example to drop capabilities. */
  readonly launcher: readonly string[]
}

/** PGSTAT_STAT_PERMANENT_FILENAME: written by a clean shutdown, read by the start after it. */
const STATISTICS_FILE = 'pg_stat/pgstat.stat'

/** One start of Postgres on one timeline, from the election to the stop. Not used twice. */
export class ComputeService {
  readonly phases: Phases
  readonly #env: Pick<Env, 'clock' | 'network' | 'log' | 'metrics'>
  readonly #options: ComputeOptions
  readonly #parts: ComputeParts
  #state: ComputeState = 'starting'
  #reason: string | undefined
  #term: number | undefined
  #bootLsn: Lsn | undefined
  #mode: { mode: ComputeMode; reason: string } | undefined
  #hydrated: { donePages: number; allPages: number } | undefined
  #mount: PageMount | undefined
  #pages: PageSource | undefined
  #lease: LsnLeaseKeeper | undefined
  readonly #postgres: PostgresServer
  #stream: QuorumStream | undefined
  readonly #sampler: ActivitySampler
  #ending: Promise<void> | undefined
  #settleEnd: (exitCode: number) => void = () => undefined
  /** Resolves with a ComputeExit code when everything of this compute is gone. */
  readonly ended: Promise<number>

  constructor(env: Pick<Env, 'clock' | 'network' | 'log' | 'metrics'>, options: ComputeOptions, parts: ComputeParts) {
    this.#env = env
    this.#options = options
    this.#parts = parts
    this.phases = new Phases(env.clock)
    this.#postgres = this.#newPostgres()
    this.#sampler = new ActivitySampler(env, this.#postgres.address.socketPath)
    this.ended = new Promise((resolve) => {
      this.#settleEnd = resolve
    })
    const { quorum } = parts
    if (quorum) {
      quorum.onCommit = (lsn) => this.#stream?.reportFlushed(lsn)
      // It could not commit any more, but it would go on serving reads that another compute has made stale.
      quorum.onQuorumLost = () => this.#end('failed', 'no contact with a quorum', ComputeExit.noQuorum)
      quorum.onFenced = (error) => this.#end('fenced', errorText(error), ComputeExit.fenced)
    }
  }

  /** Resolves when clients can connect. On failure everything is taken down and `ended` resolves, too. */
  async start(): Promise<void> {
    try {
      await this.#start()
      if (this.#state !== 'starting') throw new StorageError('aborted', `compute ended: ${this.#reason}`)
      this.#state = 'ready'
      this.#env.log.info('compute is ready', { ...this.phases.toJson(), mode: this.#mode?.mode })
    } catch (error) {
      const fenced = isStorageError(error, 'fenced')
      this.#end(fenced ? 'fenced' : 'failed', errorText(error), fenced ? ComputeExit.fenced : ComputeExit.failed)
      throw error
    }
  }

  /** Ends sessions, lets the quorum take the last WAL, then takes everything down. */
  async stop(reason: string): Promise<void> {
    if (this.#state === 'ready') {
      this.#state = 'stopping'
      this.#reason = reason
      this.#parts.quorum?.endThrottle()
      // A fast shutdown with nobody to take its last record would hang; a dead quorum gets the short way.
      const exit = await this.#postgres.shutDown()
      if (exit?.code === 0) await this.#saveStatistics()
    }
    this.#end('stopped', reason, ComputeExit.stopped)
    await this.ended
  }

  status(): ComputeStatus {
    const { computeId, projectId, timelineId, httpPort, postgresPort, socketFolder, readOnlyLsn } = this.#options
    const { quorum } = this.#parts
    const { pid: postgresPid } = this.#postgres
    const receivedLsn = this.#stream?.receivedLsn
    const lag = this.ingestLag
    return {
      state: this.#state,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
      computeId,
      projectId,
      timelineId,
      pid: process.pid,
      ...(postgresPid === undefined ? {} : { postgresPid }),
      ...(this.#mode ? { mode: this.#mode.mode, modeReason: this.#mode.reason } : {}),
      readOnly: readOnlyLsn !== undefined,
      ...(this.#term === undefined ? {} : { term: this.#term }),
      ...(this.#bootLsn === undefined ? {} : { bootLsn: Lsn.format(this.#bootLsn) }),
      ...(receivedLsn === undefined ? {} : { receivedLsn: Lsn.format(receivedLsn) }),
      ...(quorum && this.#term !== undefined ? { commitLsn: Lsn.format(quorum.commitLsn) } : {}),
      ...(lag && lag.ingestedLsn > 0
        ? {
            ingest: {
              lsn: Lsn.format(lag.ingestedLsn),
              lagBytes: lag.lagBytes,
              throttledMs: Math.round(lag.throttledMs),
            },
          }
        : {}),
      ports: { http: httpPort, postgres: postgresPort },
      socketFolder,
      phases: this.phases.toJson(),
      ...(this.#hydrated ? { hydrated: this.#hydrated } : {}),
      peers: quorum?.peers() ?? [],
    }
  }

  get ingestLag(): IngestLag | undefined {
    return this.#parts.quorum?.ingestLag()
  }

  /** What clients do, and how far the WAL has come. */
  async activity(): Promise<Omit<ComputeActivity, 'computeId'>> {
    const { quorum } = this.#parts
    const postgres = await this.#sampler.sample()
    const flushLsn = this.#stream?.receivedLsn
    return {
      ...postgres,
      flushLsn: flushLsn === undefined ? null : Lsn.format(flushLsn),
      commitLsn: quorum && flushLsn !== undefined ? Lsn.format(quorum.commitLsn) : null,
      lagBytes: quorum && flushLsn !== undefined ? Math.max(0, flushLsn - quorum.commitLsn) : null,
      members: quorum?.peers() ?? [],
    }
  }

  async applyRoles(roles: readonly RoleSpec[]): Promise<void> {
    await this.#postgres.withConnection(async (connection) => {
      for (const role of roles) await applyRole(connection, role)
    })
  }

  async applyDatabases(databases: readonly DatabaseSpec[]): Promise<void> {
    await this.#postgres.withConnection(async (connection) => {
      for (const database of databases) await applyDatabase(connection, database)
    })
  }

  /** Without it the next compute only starts counting anew. */
  async #saveStatistics(): Promise<void> {
    const { quorum } = this.#parts
    if (!quorum) return
    try {
      const file = fs.readFileSync(path.join(this.#options.folder, 'pgdata', STATISTICS_FILE))
      await this.#parts.saveStatistics(quorum.commitLsn, file)
    } catch (error) {
      this.#env.log.warn('statistics are not kept', { error: errorText(error) })
    }
  }

  async #start(): Promise<void> {
    const { quorum } = this.#parts
    const { readOnlyLsn, mode } = this.#options
    this.#mode = chooseMode(mode, this.#parts.mountObstacle)
    this.#prepareFolder()
    const pages: { source: PageSource | undefined } = { source: undefined }
    // The mount needs no LSN before its first read, so it comes up beside the election.
    const mounting =
      this.#mode.mode === 'fuse'
        ? this.phases.measure('mount', () => this.#openMount((...args) => pages.source!.usePages(...args)))
        : Promise.resolve(undefined)
    mounting.catch(() => undefined)

    const lsn = readOnlyLsn ?? (await this.phases.measure('elect', () => this.#elect(quorum)))
    this.#bootLsn = lsn
    const source = this.#parts.openPages(lsn)
    this.#pages = source
    const bundle = await this.phases.measure('bundle', () => this.#parts.readBootBundle(lsn))
    const nextXid = xidOfFullXid(Number(bundle.header.checkpoint.nextXid))
    pages.source = withHints(source, new CommitLog(bundle.files, nextXid))
    this.#pages = pages.source
    this.#lease = new LsnLeaseKeeper(this.#env, lsn, (...args) => this.#parts.leaseLsn(...args))
    const leasing = this.#lease.start()
    leasing.catch(() => undefined)
    const checkpoint = synthesizeCheckpoint(bundle.header, { nowMs: this.#env.clock.nowMs(), term: this.#term ?? 0 })
    quorum?.append(lsn, checkpoint.record.bytes)

    await this.phases.measure('data-dir', () => this.#writeFiles(bundle, checkpoint, mounting))
    await leasing
    await this.phases.measure('postgres', () => this.#postgres.start())
    if (quorum) {
      await this.phases.measure('stream', () =>
        this.#startStream(quorum, BigInt(bundle.header.systemIdentifier), checkpoint.record.endLsn),
      )
      await this.phases.measure('roles', () =>
        this.#postgres.withConnection(async (connection) => {
          await ensurePassword(connection, 'postgres', this.#options.postgresPassword)
          await revokeSignalFunctions(connection)
        }),
      )
    } else await this.phases.measure('roles', () => this.#overrideVerifiers())
  }

  async #elect(quorum: QuorumLog | undefined): Promise<Lsn> {
    if (!quorum) throw new StorageError('invalid-input', 'a compute that writes needs safekeepers')
    const { term, endLsn } = await quorum.elect()
    this.#term = term
    return endLsn
  }

  #prepareFolder(): void {
    const { folder, socketFolder, account } = this.#options
    fs.mkdirSync(folder, { recursive: true, mode: 0o711 })
    for (const name of ['pgdata', 'run']) fs.rmSync(path.join(folder, name), { recursive: true, force: true })
    fs.rmSync(socketFolder, { recursive: true, force: true })
    fs.mkdirSync(socketFolder, { recursive: true, mode: 0o700 })
    if (account) fs.chownSync(socketFolder, account.uid, account.gid)
  }

  async #openMount(usePages: UsePages): Promise<PageMount> {
    const { folder } = this.#options
    const mount = await this.#parts.openMount({
      mountPath: path.join(folder, 'mount'),
      cacheFolder: path.join(folder, 'cache'),
      usePages,
    })
    this.#mount = mount
    void mount.ended.then((reason) => {
      if (!this.#ending) this.#end('failed', `the page mount ended: ${reason}`, ComputeExit.failed)
    })
    return mount
  }

  async #writeFiles(
    bundle: BootBundle,
    checkpoint: SynthesizedCheckpoint,
    mounting: Promise<PageMount | undefined>,
  ): Promise<void> {
    const { account, folder, settings, readOnlyLsn } = this.#options
    const dataDir = path.join(folder, 'pgdata')
    const tree = relationTreeOf(bundle, checkpoint)
    const mount = await mounting
    writeDataDir({
      folder: dataDir,
      account,
      bundle,
      checkpoint,
      postgresConf: postgresConf(settings, readOnlyLsn === undefined ? 0 : bundle.header.parameters.maxConnections),
      mountPath: mount?.mountPath,
      readOnly: readOnlyLsn !== undefined,
    })
    if (mount) {
      const { uid, gid } = account ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
      mount.plant({ ...tree, uid, gid })
      return
    }
    const { readPages } = this.#pages!
    await hydrate({
      folder: dataDir,
      tree,
      account,
      readPages,
      onProgress: (donePages, allPages) => {
        this.#hydrated = { donePages, allPages }
      },
    })
  }

  /**
   * A standby takes no ALTER ROLE. Where passwords have changed since its LSN, the server starts once as its own master,
   * for nobody but us, to write them; like all that is local, that is gone with the compute.
   */
  async #overrideVerifiers(): Promise<void> {
    const { folder, postgresPassword: superuserPassword, roleVerifiers = {} } = this.#options
    let statements: string[] = []
    await this.#postgres.withConnection(async (connection) => {
      statements = await verifierStatements(connection, { superuserPassword, roleVerifiers })
    })
    if (statements.length === 0) return
    const signalFile = path.join(folder, 'pgdata', 'standby.signal')
    await this.#postgres.restart(() => fs.rmSync(signalFile), { isPrivate: true })
    await this.#postgres.withConnection(async (connection) => {
      for (const statement of statements) await connection.query(statement)
    })
    await this.#postgres.restart(() => fs.writeFileSync(signalFile, ''), { isPrivate: false })
  }

  #newPostgres(): PostgresServer {
    const { folder, socketFolder, host, postgresPort, account, launcher, readOnlyLsn } = this.#options
    return new PostgresServer({
      env: this.#env,
      launcher,
      program: this.#parts.postgresProgram,
      dataDir: path.join(folder, 'pgdata'),
      socketFolder,
      host,
      port: postgresPort,
      account,
      readOnly: readOnlyLsn !== undefined,
      mountPath: () => this.#mount?.mountPath,
      requireWanted: () => {
        if (this.#ending) throw new StorageError('aborted', `compute ended: ${this.#reason}`)
      },
      onDied: (how) => this.#end('failed', `postgres ended: ${how}`, ComputeExit.postgresDied),
      onSyncWaitCancelled: (line) => {
        // A clean stop ends sessions on purpose: their commits stream on and are taken by the quorum.
        if (this.#state !== 'stopping')
          this.#end('failed', `commit wait broken off: ${line}`, ComputeExit.syncWaitCancelled)
      },
    })
  }

  async #startStream(quorum: QuorumLog, systemIdentifier: bigint, startLsn: Lsn): Promise<void> {
    this.#stream = new QuorumStream({
      env: this.#env,
      quorum,
      address: this.#postgres.address,
      systemIdentifier,
      isStopping: () => this.#state === 'stopping',
      isEnded: () => this.#ending !== undefined,
      onFailed: (error) => {
        this.#end('failed', `wal stream from postgres: ${errorText(error)}`, ComputeExit.failed)
      },
    })
    await this.#stream.start(startLsn)
  }

  /** Kills Postgres first and at once; the rest can take its time. */
  #end(state: ComputeState, reason: string, exitCode: number): void {
    if (this.#ending) return
    this.#state = state
    this.#reason = reason
    const level = state === 'stopped' ? 'info' : 'error'
    this.#env.log[level]('compute ends', { state, reason })
    this.#ending = this.#takeDown(state).then(
      () => this.#settleEnd(exitCode),
      (error: unknown) => {
        this.#env.log.error('take-down failed', { reason: errorText(error) })
        this.#settleEnd(exitCode)
      },
    )
  }

  async #takeDown(state: ComputeState): Promise<void> {
    await this.#postgres.kill()
    this.#lease?.close()
    this.#stream?.close()
    await this.#mount?.close()
    this.#pages?.close()
    await this.#parts.quorum?.close()
    const { folder, socketFolder } = this.#options
    fs.rmSync(socketFolder, { recursive: true, force: true })
    // A failed compute's data directory is of use to who looks into the failure.
    if (state === 'stopped') fs.rmSync(path.join(folder, 'pgdata'), { recursive: true, force: true })
  }
}
