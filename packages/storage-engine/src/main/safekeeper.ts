import { readFileSync } from 'node:fs'
import { errorText, StorageError } from '../base/errors.ts'
import { openHttpServer } from '../io/http-server.ts'
import { openNodeEnv } from '../io/node-env.ts'
import { stopOnSignal } from '../io/node-process.ts'
import { openObjectStore } from '../object-store/open-object-store.ts'
import { PeerRecovery } from '../safekeeper/peer-recovery.ts'
import { PeerStatusFeed } from '../safekeeper/peer-status-feed.ts'
import { safekeeperRoutes, timelineInfo } from '../safekeeper/safekeeper-admin.ts'
import { SafekeeperService } from '../safekeeper/safekeeper-service.ts'
import { WalBackup } from '../safekeeper/wal-backup.ts'
import { parseSafekeeperConfig, type SafekeeperConfig } from './safekeeper-config.ts'

/** One SafeKeeper process. Exits with 1 and a clear line when it cannot start. */
async function main(): Promise<void> {
  const config = readConfig()
  const env = openNodeEnv({
    name: `safekeeper-${config.id}`,
    ...(config.logLevel ? { logLevel: config.logLevel } : {}),
  })
  const { log } = env
  try {
    const objectStore = await openObjectStore(config.objectStore, env)
    let recovery: PeerRecovery | undefined
    let state = 'starting'
    const service = await SafekeeperService.open({
      env,
      nodeId: config.id,
      dataDirectory: config.dataDirectory,
      address: { host: config.host, port: config.port },
      objectStore,
      mayVote: () => recovery?.mayVote() ?? false,
    })
    const { registry } = service
    recovery = await PeerRecovery.open({
      env,
      nodeId: config.id,
      dataDirectory: config.dataDirectory,
      peers: config.peers.map(({ id, host, port }) => ({ id, address: { host, port } })),
      registry,
    })
    const members = recovery
    const feed = new PeerStatusFeed({
      env,
      peers: config.peers.map(({ id, host, port }) => ({ id, address: { host, port } })),
      registry,
    })
    const backup = new WalBackup({
      env,
      nodeId: config.id,
      registry,
      objectStore,
      peerStatuses: (timelineId) => feed.statusesOf(timelineId),
      intervalMs: config.backupIntervalMs,
      partialIdleMs: config.partialBackupIdleMs,
    })
    const http = await openHttpServer({
      host: config.host,
      port: config.httpPort,
      log,
      status: () => ({
        // Ready means that every timeline its peers know is here.
        state: state === 'ready' && !members.hasJoined ? 'rebuilding' : state,
        id: config.id,
        hasJoined: members.hasJoined,
        waitingFor: members.hasJoined ? null : (members.lastError ?? null),
        connectionCount: service.connectionCount,
        ports: { tcp: 'port' in service.address ? service.address.port : 0, http: http.port },
        timelines: registry.list().map(timelineInfo),
        damaged: registry.damaged(),
      }),
      metricsText: () => env.metrics.text(),
      routes: safekeeperRoutes({ registry, create: (identity) => members.create(identity) }),
    })
    state = 'ready'
    log.info('safekeeper is ready', { port: config.port, httpPort: http.port })
    stopOnSignal({
      graceMs: 10_000,
      async stop(reason) {
        state = 'stopping'
        log.info('safekeeper stops', { reason })
        await backup.close()
        await feed.close()
        await members.close()
        await http.close()
        await service.close()
      },
      onError: (error) => log.error('stop failed', { error: errorText(error) }),
    })
  } catch (error) {
    log.error('safekeeper cannot start', { error: errorText(error) })
    process.exit(1)
  }
}

function readConfig(): SafekeeperConfig {
  const path = process.env.TRIBUTARY_CONFIG
  try {
    if (path === undefined) throw new StorageError('invalid-input', 'TRIBUTARY_CONFIG must name a configuration file')
    return parseSafekeeperConfig(readFileSync(path, 'utf8'), path)
  } catch (error) {
    process.stderr.write(`safekeeper: ${errorText(error)}\n`)
    process.exit(1)
  }
}

await main()
