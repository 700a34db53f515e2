import * as fs from 'node:fs'
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  errorText,
  openHttpComputeDriver,
  openHttpStackClient,
  openHttpStorageAdmin,
  openQueryClient,
} from '@tributary/storage-engine/admin'
import type { App } from '../app.ts'
import { openAuth } from '../auth/auth.ts'
import { Authenticator } from '../auth/authenticate.ts'
import { type ApiConfig, readConfig } from '../config.ts'
import { operationHandlers } from '../control-plane/handlers/handlers.ts'
import { runLoops } from '../control-plane/loops.ts'
import { Metering } from '../control-plane/metering.ts'
import { readFailpoints } from '../control-plane/operations/failpoint.ts'
import { OperationQueue } from '../control-plane/operations/operation-queue.ts'
import { startOperationRunner } from '../control-plane/operations/operation-runner.ts'
import { ProxyConnections } from '../control-plane/proxy-connections.ts'
import { ReadOnlyComputes } from '../control-plane/read-only-computes.ts'
import { Reconciler } from '../control-plane/reconciler.ts'
import { Retention } from '../control-plane/retention.ts'
import { TimeTravelConnections } from '../control-plane/time-travel-connections.ts'
import { TipWatch } from '../control-plane/tip-watch.ts'
import { Waker } from '../control-plane/wake.ts'
import { openDatabase } from '../db/database.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../db/embedded-postgres.ts'
import { migrate, readMigrations } from '../db/migrate.ts'
import { makeServer, startServer } from '../http/server.ts'
import { DemoProject } from '../modules/demo/demo-project.ts'
import { FirstRun } from '../modules/first-run/first-run.ts'
import { makePersonalOrganization } from '../modules/organization/organization-service.ts'
import { openServices } from '../services.ts'
import { EventBus } from '../shared/event-bus.ts'
import { readOrMakeSecret, SecretBox } from '../shared/secret-box.ts'

const VERSION = '0.1.0'
const LOOPS_STOP_MS_MAX = 5000

const configFile = process.argv[2]
if (configFile === undefined) {
  console.error('usage: api <configuration file>')
  process.exit(2)
}
try {
  await main(readConfig(configFile))
} catch (error) {
  console.error(`the API did not start: ${errorText(error)}`)
  process.exit(1)
}

async function main(config: ApiConfig): Promise<void> {
  const server = makeServer(config.logLevel)
  const { log } = server
  const secrets = new SecretBox(readOrMakeSecret(config.secretsFolder, 'seal-key'))
  const authSecret = readOrMakeSecret(config.secretsFolder, 'session-key').toString('hex')
  const internalToken = readTokenFile(path.join(config.secretsFolder, 'internal-token'))
  const embedded = config.databaseUrl === undefined ? await startCatalog(config, log) : undefined
  const databaseUrl = config.databaseUrl ?? embedded?.url ?? ''
  const fail = (message: string): never => {
    log.fatal(message)
    process.exit(1)
  }
  void embedded?.died.then(fail)

  const applied = await migrate(databaseUrl, readMigrations(migrationsFolder()))
  if (applied.length > 0) log.info({ applied }, 'the catalog was migrated')
  const database = openDatabase(databaseUrl)
  const bus = new EventBus()
  const operations = new OperationQueue(database, bus)
  const demo = new DemoProject()
  const supervisor = { url: config.supervisor.url, token: readTokenFile(config.supervisor.tokenFile) }
  const app: App = {
    config,
    log,
    database,
    secrets,
    bus,
    storage: openHttpStorageAdmin({ url: config.pageserver.url }),
    computes: openHttpComputeDriver(supervisor),
    stack: openHttpStackClient(supervisor),
    queries: config.queryWorker ? openQueryClient({ url: config.queryWorker.url }) : null,
    operations,
    demo,
    version: VERSION,
  }
  const auth = openAuth({
    database,
    secret: authSecret,
    baseUrl: config.webOrigin,
    trustedOrigins: [config.webOrigin, `http://${config.host}:${config.port}`],
    allowSignUp: config.allowSignUp,
    onUserCreated: async (user) => {
      // The local owner gets the organization of the first start instead.
      if (!user.email.endsWith('@localhost.local')) await makePersonalOrganization(database, user)
    },
  })
  const authenticator = new Authenticator(auth, database)
  const waker = new Waker(app)
  const readOnly = new ReadOnlyComputes(app)
  const connections = new ProxyConnections()
  const timeTravel = new TimeTravelConnections(app, readOnly)
  const services = openServices(app, { auth, authenticator, waker, readOnly })
  demo.attach(app, waker)
  await demo.load()

  const runner = await startOperationRunner({
    database,
    databaseUrl,
    bus,
    handlers: operationHandlers(app),
    failpoints: readFailpoints(process.env['TRIBUTARY_API_FAILPOINT']),
    log,
    onLockLost: (error) => fail(`the lock of operations was lost: ${error.message}`),
  })
  operations.setStarter((operationId) => runner.start(operationId))
  await services.drills.endInterrupted()

  const firstRun = new FirstRun(app, auth)
  await firstRun.prepare()
  firstRun.report({ state: 'making', postgresUri: null })

  const stopping = new AbortController()
  const http = await startServer(server, {
    app,
    auth,
    authenticator,
    services,
    firstRun,
    waker,
    connections,
    timeTravel,
    internalToken,
    isReady: () => true,
  })
  await operations.startForgotten()
  const loops = runLoops(
    app,
    {
      reconciler: new Reconciler(app, readOnly, connections),
      metering: new Metering(app),
      retention: new Retention(app),
      tips: new TipWatch(app),
    },
    stopping.signal,
  )
  log.info({ port: config.port }, 'the API is up')
  void makeDemo(app, firstRun, services.connections)

  const stop = async (signal: string) => {
    if (stopping.signal.aborted) return
    log.info({ signal }, 'stopping')
    stopping.abort()
    await Promise.race([loops, new Promise((resolve) => setTimeout(resolve, LOOPS_STOP_MS_MAX))])
    await http.stop()
    await readOnly.stopAll()
    await runner.stop()
    await database.$disconnect()
    await embedded?.stop()
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal))
}

async function makeDemo(
  app: App,
  firstRun: FirstRun,
  connections: ReturnType<typeof openServices>['connections'],
): Promise<void> {
  if (!app.config.makeDemo) return firstRun.report({ state: 'off', postgresUri: null })
  try {
    const uriOf = (endpointId: string, role: string, password: string) =>
      connections.forEndpoint(endpointId, { role, database: 'shop', password }).uri
    const postgresUri = await app.demo.make(firstRun.organizationId, uriOf)
    firstRun.report({ state: 'ready', postgresUri })
  } catch (error) {
    app.log.warn({ error: errorText(error) }, 'the demo project was not made')
    firstRun.report({ state: 'failed', postgresUri: null, error: errorText(error) })
  }
}

function startCatalog(config: ApiConfig, log: App['log']): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({
    folder: path.join(config.home, 'catalog'),
    password: readOrMakeSecret(config.secretsFolder, 'catalog-password', 16).toString('hex'),
    onLog: (line) => log[/ (LOG|HINT): /.test(line) ? 'debug' : 'warn']({ from: 'catalog postgres' }, line),
  })
}

function readTokenFile(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new Error(`cannot read the token file ${file}: ${errorText(error)}`)
  }
}

/** The checkout's prisma/migrations, from the bundle as from the source. */
function migrationsFolder(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url))
  while (true) {
    const candidate = path.join(folder, 'prisma', 'migrations')
    if (fs.existsSync(candidate)) return candidate
    const parent = path.dirname(folder)
    if (parent === folder) throw new Error('the folder prisma/migrations is missing')
    folder = parent
  }
}
