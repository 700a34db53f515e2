import * as fs from 'node:fs'
import * as path from 'node:path'
import type { Log } from '../io/log.ts'
import type { FreePorts } from './free-ports.ts'
import type { LocalStackConfig } from './local-stack-config.ts'
import { LogFile } from './log-file.ts'
import { ManagedProcess } from './managed-process.ts'

const SAFEKEEPER_COUNT = 3
const STORAGE_READY_MS_MAX = 60_000
const STOP_GRACE_MS = 15_000

export interface NodeAddress {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly httpPort: number
}

/** Three SafeKeepers and a PageServer: started, started again when they die, stopped last. */
export class StorageProcesses {
  readonly safekeepers: readonly NodeAddress[]
  readonly pageserver: NodeAddress
  readonly processes = new Map<string, ManagedProcess>()
  readonly #config: LocalStackConfig
  readonly #log: Log
  readonly #onChange: () => void

  private constructor(
    parts: { safekeepers: readonly NodeAddress[]; pageserver: NodeAddress },
    options: { config: LocalStackConfig; log: Log; onChange: () => void },
  ) {
    this.safekeepers = parts.safekeepers
    this.pageserver = parts.pageserver
    this.#config = options.config
    this.#log = options.log
    this.#onChange = options.onChange
  }

  /** Settles addresses; starts nothing yet. */
  static async open(options: {
    config: LocalStackConfig
    ports: FreePorts
    log: Log
    onChange: () => void
  }): Promise<StorageProcesses> {
    const { config, ports } = options
    const takeAddress = async (id: number): Promise<NodeAddress> => ({
      id,
      host: config.host,
      port: await ports.take(),
      httpPort: await ports.take(),
    })
    const safekeepers: NodeAddress[] = []
    for (let id = 1; id <= SAFEKEEPER_COUNT; id++) safekeepers.push(await takeAddress(id))
    return new StorageProcesses({ safekeepers, pageserver: await takeAddress(1) }, options)
  }

  async start(): Promise<void> {
    const config = this.#config
    for (const own of this.safekeepers) {
      this.#add(`safekeeper-${own.id}`, 'safekeeper', own.httpPort, {
        id: own.id,
        dataDirectory: path.join(config.home, `safekeeper-${own.id}`),
        host: own.host,
        port: own.port,
        httpPort: own.httpPort,
        objectStore: config.objectStore,
        peers: this.safekeepers.filter((peer) => peer.id !== own.id),
        logLevel: config.logLevel,
      })
    }
    this.#add('pageserver', 'pageserver', this.pageserver.httpPort, {
      dataDirectory: path.join(config.home, 'pageserver'),
      host: this.pageserver.host,
      port: this.pageserver.port,
      httpPort: this.pageserver.httpPort,
      objectStore: config.objectStore,
      safekeepers: this.safekeepers,
      logLevel: config.logLevel,
    })
    const all = [...this.processes.values()]
    await Promise.all(all.map((child) => child.start()))
    await Promise.all(all.map((child) => child.waitReady(STORAGE_READY_MS_MAX)))
  }

  /** The PageServer first: what it has not uploaded yet is still on the SafeKeepers. */
  async stop(): Promise<void> {
    await this.processes.get('pageserver')?.stop()
    await Promise.all([...this.processes.values()].map((child) => child.stop()))
  }

  #add(name: string, kind: 'safekeeper' | 'pageserver', httpPort: number, config: object): void {
    const { home, host } = this.#config
    const configPath = path.join(home, 'run', `${name}.json`)
    fs.writeFileSync(configPath, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 })
    const child = new ManagedProcess({
      name,
      kind,
      program: `main/${kind}`,
      configPath,
      statusUrl: `http://${host}:${httpPort}/status`,
      logFile: new LogFile(path.join(home, 'logs', `${name}.log`)),
      log: this.#log,
      stopGraceMs: STOP_GRACE_MS,
      onChange: this.#onChange,
    })
    this.processes.set(name, child)
  }
}
