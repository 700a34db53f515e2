#!/usr/bin/env node
/**
 * Prisma's CLI runs a "schema engine" program and talks JSON-RPC with it, a line a message. The stock program is a download
 * from outside the npm registry; this one serves the same protocol with the WebAssembly build of the same engine, from
 * npm, over @prisma/adapter-pg. Whoever prefers the stock program unsets PRISMA_SCHEMA_ENGINE_BINARY: migrations are the same.
 */
import fs from 'node:fs'
import { createRequire } from 'node:module'
import readline from 'node:readline'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils'
import pg from 'pg'

/** Oid of the type "char", which the catalog queries of the engine return and @prisma/adapter-pg refuses. */
const INTERNAL_CHAR_OID = 18
const UUID_OID = 2950
const RPC_ENGINE_ERROR = 4466

const { datamodels, datasourceUrl, command } = readArguments(process.argv.slice(2))
/** Shadow databases still there: dropped before each reply, because the CLI kills us once it has its answer. */
const shadows = new Set()
let panicText = ''

globalThis.PRISMA_WASM_PANIC_REGISTRY = {
  set_message(text) {
    panicText = text
  },
}
process.on('uncaughtException', (error) => {
  writeLog({ message: panicText || String(error?.stack ?? error) })
  process.exit(1)
})

if (command === undefined) serve()
else await runCommand(command)

function readArguments(args) {
  const parsed = { datamodels: [], datasourceUrl: undefined, command: undefined }
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]
    if (arg === '--datamodels') parsed.datamodels.push(args[++index])
    else if (arg === '--datasource') parsed.datasourceUrl = JSON.parse(args[++index]).url
    else if (arg === '--enabled-preview-features' || arg === '--extension-types') index++
    else if (arg === '--version' || arg === '-V') {
      process.stdout.write('schema-engine-cli (WebAssembly build)\n')
      process.exit(0)
    } else if (arg === 'cli') {
      parsed.command = args[index + 1]
      break
    }
  }
  return parsed
}

async function runCommand(name) {
  try {
    if (name === 'can-connect-to-database') await withClient(databaseName(), () => undefined)
    else if (name === 'create-database') await createDatabase()
    else if (name === 'drop-database')
      await withClient('postgres', (client) => client.query(`DROP DATABASE IF EXISTS ${quoted(databaseName())}`))
    else throw new Error(`not supported: ${name}`)
    process.exit(0)
  } catch (error) {
    const code = { '3D000': 'P1003', '28P01': 'P1000' }[error.code] ?? 'P1001'
    writeLog({ error_code: code, message: String(error.message) })
    process.exit(1)
  }
}

function serve() {
  const lines = readline.createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })
  let queue = Promise.resolve()
  lines.on('line', (line) => {
    if (line.trim() !== '') queue = queue.then(() => answer(JSON.parse(line)))
  })
  lines.on('close', () => queue.then(() => process.exit(0)))
}

let enginePromise

async function answer({ id, method, params }) {
  if (method === undefined) return
  try {
    let result
    if (method === 'createDatabase') result = await createDatabase()
    else {
      enginePromise ??= openEngine()
      const engine = await enginePromise
      if (typeof engine[method] !== 'function') throw new Error(`not supported: ${method}`)
      try {
        result = await engine[method](params ?? {})
      } finally {
        for (const drop of [...shadows]) await drop()
      }
    }
    if (method === 'diff' && typeof result?.stdout === 'string') {
      // The text of a diff travels as a request of its own, before the reply.
      send({ id: 1_000_000 + id, method: 'print', params: { content: result.stdout } })
      result = { exitCode: result.exitCode }
    }
    send({ id, result: result ?? {} })
  } catch (error) {
    const data = {
      is_panic: false,
      message: error?.message ?? String(error),
      error_code: error?.code ?? null,
      meta: error?.meta ?? null,
    }
    send({
      id,
      error: { code: RPC_ENGINE_ERROR, message: 'An error happened. Check the data field for details.', data },
    })
  }
}

async function openEngine() {
  const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg')
  const require = createRequire(import.meta.url)
  const wasmFile = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg').replace(/\.js$/, '.wasm')
  const wasm = new WebAssembly.Module(fs.readFileSync(wasmFile))
  const instance = new WebAssembly.Instance(wasm, { './schema_engine_bg.js': glue })
  glue.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
  const files = datamodels.map((file) => [file, fs.readFileSync(file, 'utf8')])
  const onLog = (line) => {
    if (process.env.SCHEMA_ENGINE_DEBUG) process.stderr.write(`${line}\n`)
  }
  return glue.SchemaEngine.new(
    { datamodels: files.length > 0 ? files : undefined },
    onLog,
    bindMigrationAwareSqlAdapterFactory(adapterFactory),
  )
}

const adapterFactory = {
  provider: 'postgres',
  adapterName: '@prisma/adapter-pg',
  connect: (database) => connect(database),
  // The adapter's own version connects to the main database when the URL names one.
  async connectToShadowDb() {
    const name = `prisma_migrate_shadow_db_${crypto.randomUUID()}`
    const main = await connect()
    await main.executeScript(`CREATE DATABASE ${quoted(name)}`)
    const shadow = await connect(name)
    const dispose = shadow.dispose.bind(shadow)
    let dropped
    const drop = () => {
      dropped ??= (async () => {
        shadows.delete(drop)
        await dispose()
        await main.executeScript(`DROP DATABASE IF EXISTS ${quoted(name)} WITH (FORCE)`)
        await main.dispose()
      })()
      return dropped
    }
    shadow.dispose = drop
    shadows.add(drop)
    return shadow
  },
}

async function connect(database) {
  const url = new URL(datasourceUrl)
  const pool = new CatalogPool({ ...connectionFields(url, database), max: 4 })
  const adapter = new PrismaPg(pool, { schema: url.searchParams.get('schema') ?? undefined, disposeExternalPool: true })
  const connection = withCharacterColumns(await adapter.connect())
  const startTransaction = connection.startTransaction.bind(connection)
  connection.startTransaction = async (...args) => withCharacterColumns(await startTransaction(...args))
  return connection
}

/** Carries the type "char" through the driver as uuid, which no catalog query returns. */
class CatalogPool extends pg.Pool {
  async query(...args) {
    return asUuid(await super.query(...args))
  }

  connect(callback) {
    if (callback) return super.connect(callback)
    return super.connect().then((client) => {
      if (client.carriesChar) return client
      client.carriesChar = true
      const query = client.query.bind(client)
      client.query = (...args) => {
        const result = query(...args)
        return typeof result?.then === 'function' ? result.then(asUuid) : result
      }
      return client
    })
  }
}

function asUuid(results) {
  for (const result of Array.isArray(results) ? results : [results])
    for (const field of result?.fields ?? []) if (field.dataTypeID === INTERNAL_CHAR_OID) field.dataTypeID = UUID_OID
  return results
}

function withCharacterColumns(queryable) {
  const queryRaw = queryable.queryRaw.bind(queryable)
  queryable.queryRaw = async (query) => {
    const result = await queryRaw(query)
    result.columnTypes = result.columnTypes.map((type) =>
      type === ColumnTypeEnum.Uuid ? ColumnTypeEnum.Character : type,
    )
    return result
  }
  return queryable
}

function connectionFields(url, database) {
  const sslmode = url.searchParams.get('sslmode')
  return {
    host: url.hostname || url.searchParams.get('host') || undefined,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username) || undefined,
    password: decodeURIComponent(url.password) || undefined,
    database: database ?? databaseName(),
    ssl: sslmode === null || sslmode === 'disable' ? undefined : { rejectUnauthorized: sslmode.startsWith('verify') },
  }
}

async function createDatabase() {
  const name = databaseName()
  await withClient('postgres', async (client) => {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])
    if (!rowCount) await client.query(`CREATE DATABASE ${quoted(name)}`)
  })
  return { databaseName: name }
}

async function withClient(database, work) {
  const client = new pg.Client(connectionFields(new URL(datasourceUrl), database))
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

function databaseName() {
  return decodeURIComponent(new URL(datasourceUrl).pathname.slice(1))
}

function quoted(name) {
  return `"${name.replaceAll('"', '""')}"`
}

function send(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
}

function writeLog(fields) {
  process.stderr.write(`\n${JSON.stringify({ level: 'ERROR', target: 'schema_engine::logger', fields })}\n`)
}
