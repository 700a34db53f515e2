import * as fs from 'node:fs'
import * as path from 'node:path'
import { openHttpStorageAdmin } from '../admin/http-storage-admin-client.ts'
import { errorText, isStorageError, StorageError } from '../base/errors.ts'
import { nodeClock } from '../io/node-clock.ts'
import { nodeDisk } from '../io/node-disk.ts'
import { type LogLevel, openNodeLog } from '../io/node-log.ts'
import { openNodeMetrics } from '../io/node-metrics.ts'
import { isProcessAlive, stopOnSignal } from '../io/node-process.ts'
import { nodeRandom } from '../io/node-random.ts'
import { FreePorts } from './free-ports.ts'
import { makeHome } from './home-folder.ts'
import type { LocalBranches } from './local-branches.ts'
import { openLocalCatalog } from './local-catalog.ts'
import { openLocalStackAdmin } from './local-stack-admin.ts'
import { type LocalStackConfig, parseLocalStackConfig } from './local-stack-config.ts'
import { LocalStackSupervisor } from './local-stack-supervisor.ts'
import { LogFile } from './log-file.ts'
import { readStatus } from './managed-process.ts'

const STOP_GRACE_MS = 60_000

/**
 * The whole of Tributary on one machine: three SafeKeepers, one PageServer, computes as the API asks for them, the API
 * itself, the proxy and the console. Without TRIBUTARY_APPS_FOLDER the engine alone, with one compute for the branch `main`.
 * Prints how to connect, runs until it is told to stop. Its processes end with it, however it ends.
 */
async function main(): Promise<void> {
  const startedMs = nodeClock.monotonicMs()
  const config = parseLocalStackConfig(process.env)
  makeHome(config.home)
  await claimHome(config)
  const logFile = new LogFile(path.join(config.home, 'logs', 'supervisor.log'))
  const log = openNodeLog({
    name: 'local-stack',
    level: config.logLevel as LogLevel,
    destination: { write: (line: string) => logFile.write(line.trimEnd()) },
  })
  const catalog = await openLocalCatalog({
    path: path.join(config.home, 'catalog.json'),
    disk: nodeDisk,
    random: nodeRandom,
  })
  const supervisor = await LocalStackSupervisor.open({
    config,
    catalog,
    ports: new FreePorts({ host: config.host, first: config.internalPortFirst, reserved: config.reservedPorts }),
    log,
    openAdmin: ({ host, httpPort }) => openHttpStorageAdmin({ url: `http://${host}:${httpPort}` }),
  })
  await supervisor.product?.checkPorts()
  const metrics = openNodeMetrics()
  const admin = await named('TRIBUTARY_ADMIN_PORT', () =>
    openLocalStackAdmin({
      supervisor,
      host: config.host,
      port: config.adminPort,
      log,
      metricsText: () => metrics.text(),
    }),
  )
  const stackFile = path.join(config.home, 'run', 'stack.json')
  const stopping = new AbortController()
  stopOnSignal({
    graceMs: STOP_GRACE_MS,
    stop: async (reason) => {
      if (reason !== 'parent-gone') console.log('\nStopping ...')
      log.info('stopping', { reason })
      stopping.abort()
      fs.rmSync(stackFile, { force: true })
      await supervisor.stop()
      await admin.close()
      log.info('stopped')
    },
    onError: (error) => console.error(errorText(error)),
  })

  console.log(`Starting Tributary in ${config.home} ...`)
  try {
    await supervisor.startStorage()
    log.info('storage is up', { ms: Math.round(nodeClock.monotonicMs() - startedMs) })
    const tokenFile = path.join(config.home, 'run', 'admin-token')
    fs.writeFileSync(tokenFile, `${catalog.adminToken}\n`, { mode: 0o600 })
    const facts = supervisor.branches
      ? await startEngine(supervisor.branches, config)
      : await startProduct(supervisor, stopping.signal)
    if (stopping.signal.aborted) return
    const stack = {
      pid: process.pid,
      ...supervisor.addresses(),
      tokenFile,
      ...facts.stack,
      projectId: catalog.projectId,
      safekeepers: supervisor.storage.safekeepers,
      pageserver: supervisor.storage.pageserver,
    }
    await nodeDisk.writeFileAtomic(stackFile, Buffer.from(`${JSON.stringify(stack, null, 2)}\n`))
    fs.chmodSync(stackFile, 0o600)
    const seconds = ((nodeClock.monotonicMs() - startedMs) / 1000).toFixed(1)
    console.log(`\nTributary is running (up in ${seconds} s).\n`)
    for (const line of facts.lines) console.log(`  ${line}`)
    console.log(`\n  admin      ${stack.adminUrl}   (bearer token in ${tokenFile})`)
    console.log(`  logs       ${path.join(config.home, 'logs')}\n\nCtrl-C stops it.`)
  } catch (error) {
    if (stopping.signal.aborted) return
    console.error(`Tributary did not start: ${errorText(error)}`)
    console.error(`The logs are in ${path.join(config.home, 'logs')}.`)
    log.error('start failed', { error: errorText(error) })
    await supervisor.stop()
    process.exit(1)
  }
}

/** What goes into stack.json, and what people are told. */
interface StartFacts {
  readonly stack: Readonly<Record<string, unknown>>
  readonly lines: readonly string[]
}

async function startEngine(branches: LocalBranches, config: LocalStackConfig): Promise<StartFacts> {
  await named('TRIBUTARY_PG_PORT', () => branches.start('main'))
  const postgresUri = branches.postgresUri(config.postgresPort)
  return { stack: { postgresUri }, lines: [`psql '${postgresUri}'`] }
}

async function startProduct(supervisor: LocalStackSupervisor, signal: AbortSignal): Promise<StartFacts> {
  const first = await supervisor.startProduct(signal)
  const { webUrl, graphqlUrl } = supervisor.addresses()
  const demoPostgresUri = first?.demo.postgresUri ?? null
  const demoProblem = first?.demo.error ?? (first?.demo.state === 'making' ? 'is still being made' : undefined)
  return {
    stack: {
      ownerApiKeyFile: first?.ownerApiKeyFile ?? null,
      signInUrl: first?.signInUrl ?? null,
      demoPostgresUri,
    },
    lines: [
      ...(webUrl === null ? [] : [`console    ${webUrl}`]),
      ...(first?.signInUrl ? [`sign in    ${first.signInUrl}`] : []),
      ...(demoPostgresUri === null ? [] : [`psql       psql '${demoPostgresUri}'`]),
      ...(demoProblem === undefined ? [] : [`demo       ${demoProblem}`]),
      ...(graphqlUrl === null ? [] : [`graphql    ${graphqlUrl}`]),
      ...(first ? [`api key    in ${first.ownerApiKeyFile}`] : []),
    ],
  }
}

/** Two supervisors on one home would fight over everything in it. */
async function claimHome(config: LocalStackConfig): Promise<void> {
  const file = path.join(config.home, 'run', 'supervisor.json')
  const bytes = await nodeDisk.readFile(file)
  const owner = bytes ? parseOwner(bytes) : undefined
  if (owner && owner.pid !== process.pid && isProcessAlive(owner.pid)) {
    // The id may belong to another program by now; a supervisor answers on its port.
    if ((await readStatus(`http://${config.host}:${owner.adminPort}/status`)) !== undefined) {
      throw new StorageError('conflict', 'another Tributary runs in this home', { home: config.home, pid: owner.pid })
    }
  }
  await nodeDisk.writeFileAtomic(file, Buffer.from(JSON.stringify({ pid: process.pid, adminPort: config.adminPort })))
}

function parseOwner(bytes: Uint8Array): { pid: number; adminPort: number } | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('adminPort' in value)) return undefined
    return typeof value.pid === 'number' && typeof value.adminPort === 'number'
      ? { pid: value.pid, adminPort: value.adminPort }
      : undefined
  } catch {
    return undefined
  }
}

/** Names the setting that moves a taken port. */
async function named<T>(variable: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!isStorageError(error, 'conflict')) throw error
    throw new StorageError('conflict', `${error.message}; set ${variable} to a free port`, {}, { cause: error })
  }
}

main().catch((error: unknown) => {
  console.error(`Tributary did not start: ${errorText(error)}`)
  process.exit(1)
})
