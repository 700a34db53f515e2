import * as path from 'node:path'
import type { Env } from '../io/env.ts'
import type { ProcessExit } from '../io/node-process.ts'
import type { Account } from './data-dir.ts'
import { connectPostgres, type PostgresConnection } from './postgres-connection.ts'
import { type PostgresProcess, startPostgres } from './postgres-process.ts'
import { commandLineSettings } from './postgres-settings.ts'

export interface PostgresServerOptions {
  readonly env: Pick<Env, 'network' | 'log'>
  readonly launcher: readonly string[]
  readonly program: string
  readonly dataDir: string
  readonly socketFolder: string
  readonly host: string
  readonly port: number
  readonly account: Account | undefined
  readonly readOnly: boolean
  /** Known once there is one. */
  readonly mountPath: () => string | undefined
  /** Throws when the compute has ended: a server that is just starting is killed then. */
  readonly requireWanted: () => void
  /** It ended, and nobody had asked it to. */
  readonly onDied: (how: string) => void
  readonly onSyncWaitCancelled: (line: string) => void
}

const STOP_GRACE_MS = 8000
const CONNECT_TIMEOUT_MS = 5000

/** The Postgres of one compute: its process, through restarts, and our own sessions on it. */
export class PostgresServer {
  readonly #options: PostgresServerOptions
  #process: PostgresProcess | undefined
  #isEndWanted = false
  /** Down on purpose, to come up again. */
  #isRestarting = false

  constructor(options: PostgresServerOptions) {
    this.#options = options
  }

  get address(): { socketPath: string } {
    const { socketFolder, port } = this.#options
    return { socketPath: path.join(socketFolder, `.s.PGSQL.${port}`) }
  }

  /** Of a server that runs. */
  get pid(): number | undefined {
    return this.#process?.isRunning() ? this.#process.pid : undefined
  }

  /** Resolves when it takes connections; a private one takes only those of this machine's socket. */
  async start({ isPrivate }: { isPrivate: boolean } = { isPrivate: false }): Promise<void> {
    const { env, launcher, program, dataDir, socketFolder, host, port, account, readOnly } = this.#options
    const postgres = await startPostgres({
      launcher,
      program,
      dataDir,
      args: commandLineSettings({ socketFolder, host: isPrivate ? undefined : host, port, readOnly }),
      account,
      mountPath: this.#options.mountPath(),
      log: env.log,
      onSyncWaitCancelled: this.#options.onSyncWaitCancelled,
    })
    this.#process = postgres
    try {
      this.#options.requireWanted()
    } catch (error) {
      await postgres.kill()
      throw error
    }
    void postgres.exited.then(({ code, signal }) => {
      if (this.#isEndWanted || this.#isRestarting) return
      const how = [signal ?? `exit code ${code}`, postgres.lastPanic()].filter((text) => text !== undefined)
      this.#options.onDied(how.join(', '))
    })
    await postgres.accepting
  }

  /** `between` runs while it is down. */
  async restart(between: () => void, options: { isPrivate: boolean }): Promise<void> {
    this.#isRestarting = true
    await this.#process?.shutDown({ graceMs: STOP_GRACE_MS })
    between()
    this.#isRestarting = false
    await this.start(options)
  }

  /** Fast shutdown; undefined when it never ran. One that does not end soon is killed. */
  async shutDown(): Promise<ProcessExit | undefined> {
    this.#isEndWanted = true
    return this.#process?.shutDown({ graceMs: STOP_GRACE_MS })
  }

  async kill(): Promise<void> {
    this.#isEndWanted = true
    await this.#process?.kill()
  }

  async withConnection(work: (connection: PostgresConnection) => Promise<void>): Promise<void> {
    const connection = await connectPostgres(
      this.#options.env.network,
      this.address,
      { user: 'postgres', database: 'postgres', applicationName: 'tributary_sidecar' },
      { timeoutMs: CONNECT_TIMEOUT_MS },
    )
    try {
      await work(connection)
    } finally {
      connection.close()
    }
  }
}
