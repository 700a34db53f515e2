import * as path from 'node:path'
import type { StackAddresses, StackInfo } from '../admin/stack-client.ts'
import type { StorageAdmin } from '../admin/storage-admin.ts'
import type { Log } from '../io/log.ts'
import { nodeClock } from '../io/node-clock.ts'
import { nodeRandom } from '../io/node-random.ts'
import { hexId } from '../postgres/ids.ts'
import { ChangeFeed } from './change-feed.ts'
import { ComputeSockets } from './compute-sockets.ts'
import type { FreePorts } from './free-ports.ts'
import { computesFolderOf } from './home-folder.ts'
import { LocalBranches } from './local-branches.ts'
import type { LocalCatalog } from './local-catalog.ts'
import type { LocalStackConfig } from './local-stack-config.ts'
import type { ManagedProcess } from './managed-process.ts'
import { NodeAgent } from './node-agent.ts'
import { type FirstRun, ProductProcesses } from './product-processes.ts'
import { type NodeAddress, StorageProcesses } from './storage-processes.ts'

interface Parts {
  readonly config: LocalStackConfig
  readonly catalog: LocalCatalog
  readonly storage: StorageProcesses
  readonly agent: NodeAgent
  readonly admin: StorageAdmin
  /** With the engine alone. */
  readonly branches: LocalBranches | undefined
  /** With the whole product. */
  readonly product: ProductProcesses | undefined
  readonly feed: ChangeFeed
}

/** Starts, watches and stops every process of one machine: storage, computes, and the product or the engine's own branches. */
export class LocalStackSupervisor {
  readonly config: LocalStackConfig
  readonly catalog: LocalCatalog
  readonly storage: StorageProcesses
  readonly agent: NodeAgent
  readonly admin: StorageAdmin
  readonly branches: LocalBranches | undefined
  readonly product: ProductProcesses | undefined
  /** Of the processes; computes have their own in `agent`. */
  readonly feed: ChangeFeed
  readonly #startedAt = new Date(nodeClock.nowMs()).toISOString()

  private constructor(parts: Parts) {
    this.config = parts.config
    this.catalog = parts.catalog
    this.storage = parts.storage
    this.agent = parts.agent
    this.admin = parts.admin
    this.branches = parts.branches
    this.product = parts.product
    this.feed = parts.feed
  }

  /** Settles ports and identities; starts nothing yet. */
  static async open(options: {
    config: LocalStackConfig
    catalog: LocalCatalog
    ports: FreePorts
    log: Log
    openAdmin: (pageserver: NodeAddress) => StorageAdmin
  }): Promise<LocalStackSupervisor> {
    const { config, catalog, ports, log } = options
    const epoch = hexId(nodeRandom.bytes(8))
    const feed = new ChangeFeed(epoch)
    const onChange = () => void feed.changed()
    const storage = await StorageProcesses.open({ config, ports, log, onChange })
    const admin = options.openAdmin(storage.pageserver)
    const sockets = new ComputeSockets(path.join(config.home, 'run', 'postgres'))
    const agent = await NodeAgent.open({
      home: config.home,
      computesFolder: computesFolderOf(config.home),
      sockets,
      host: config.host,
      computeMode: config.computeMode,
      ingestLagBytesMax: config.ingestLagBytesMax,
      logLevel: config.logLevel,
      safekeepers: storage.safekeepers,
      pageserver: storage.pageserver,
      ports,
      log,
      epoch,
    })
    const adminUrl = adminUrlOf(config)
    const product = config.product
      ? new ProductProcesses({
          config,
          product: config.product,
          storage,
          ports,
          log,
          adminToken: catalog.adminToken,
          adminUrl,
          socketsFolder: sockets.folder,
          onChange,
        })
      : undefined
    const branches = product ? undefined : new LocalBranches({ config, catalog, agent, admin, ports, log })
    return new LocalStackSupervisor({ config, catalog, storage, agent, admin, branches, product, feed })
  }

  async startStorage(): Promise<void> {
    await this.storage.start()
    await this.branches?.createProject()
  }

  /** API, proxy, console, query worker; resolves with what the API says of the first start. */
  async startProduct(signal: AbortSignal): Promise<FirstRun | undefined> {
    await this.product?.start()
    return this.product?.firstRun(signal)
  }

  /** Every child by name. */
  get processes(): ReadonlyMap<string, ManagedProcess> {
    return new Map([...this.storage.processes, ...(this.product?.processes ?? []), ...this.agent.processes])
  }

  addresses(): StackAddresses {
    const { pageserver } = this.storage
    return {
      adminUrl: adminUrlOf(this.config),
      pageserverUrl: `http://${pageserver.host}:${pageserver.httpPort}`,
      ...(this.product?.addresses() ?? {
        webUrl: null,
        apiUrl: null,
        graphqlUrl: null,
        queryWorkerUrl: null,
        postgres: null,
      }),
    }
  }

  info(): StackInfo {
    const own = {
      name: 'supervisor',
      kind: 'supervisor' as const,
      state: 'running' as const,
      pid: process.pid,
      startedAt: this.#startedAt,
      restartCount: 0,
      url: adminUrlOf(this.config),
      lastError: null,
    }
    return {
      pid: process.pid,
      home: this.config.home,
      startedAt: this.#startedAt,
      addresses: this.addresses(),
      processes: [own, ...[...this.processes.values()].map((child) => child.info())],
    }
  }

  describe(): unknown {
    return {
      pid: process.pid,
      home: this.config.home,
      projectId: this.catalog.projectId,
      safekeepers: this.storage.safekeepers,
      pageserver: this.storage.pageserver,
      processes: [...this.processes.values()].map((child) => child.describe()),
      branches: this.branches?.describe() ?? [],
    }
  }

  /** Computes hand over their last WAL while what asks for them ends; storage goes last. */
  async stop(): Promise<void> {
    // From here on no compute is started, whoever asks.
    const computes = Promise.all([this.branches?.close(), this.agent.close()])
    await Promise.all([computes, this.product?.stop()])
    await this.storage.stop()
  }
}

function adminUrlOf(config: LocalStackConfig): string {
  return `http://${config.host}:${config.adminPort}`
}
