import { type ChildProcess, spawn } from 'node:child_process'
import * as fs from 'node:fs'
import * as net from 'node:net'
import * as os from 'node:os'
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'

const rootFolder = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))))
const START_MS_MAX = 300_000
const STOP_MS_MAX = 60_000

/** What `npm start` writes to `run/stack.json` once everything answers; the fields the tests use. */
export interface StackFile {
  readonly pid: number
  readonly webUrl: string
  readonly apiUrl: string
  readonly graphqlUrl: string
  readonly adminUrl: string
  readonly tokenFile: string
  readonly ownerApiKeyFile: string
  readonly signInUrl: string
  readonly demoPostgresUri: string
}

export interface RunningStack {
  readonly home: string
  readonly file: StackFile
  stop(): Promise<void>
}

/** Runs `npm start` as a newcomer would, in a home of its own on free ports. */
export async function startStack(): Promise<RunningStack> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-e2e-'))
  // Postgres runs under an unprivileged account when the stack runs as root, and has to reach its folder.
  fs.chmodSync(home, 0o755)
  const [web, api, pg] = await freePorts(3)
  const output: string[] = []
  const child = spawn('npm', ['start', '--silent'], {
    cwd: rootFolder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      TRIBUTARY_HOME: home,
      TRIBUTARY_WEB_PORT: String(web),
      TRIBUTARY_API_PORT: String(api),
      TRIBUTARY_PG_PORT: String(pg),
    },
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output.push(text)
      if (process.env.TRIBUTARY_E2E_VERBOSE) process.stderr.write(text)
    })
  }
  const stackPath = path.join(home, 'run', 'stack.json')
  const deadlineMs = Date.now() + START_MS_MAX
  while (!fs.existsSync(stackPath)) {
    if (child.exitCode !== null || Date.now() > deadlineMs) {
      await stopStack(child, home)
      throw new Error(`npm start did not get ready:\n${output.join('').slice(-4000)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  const file = JSON.parse(fs.readFileSync(stackPath, 'utf8')) as StackFile
  return { home, file, stop: () => stopStack(child, home) }
}

/** Ctrl-C, then a wait for the end of everything; what does not end by itself is an error. */
async function stopStack(child: ChildProcess, home: string): Promise<void> {
  if (child.exitCode === null && child.pid !== undefined) {
    const ended = new Promise<boolean>((resolve) => {
      child.once('exit', () => resolve(true))
      setTimeout(() => resolve(false), STOP_MS_MAX).unref()
    })
    process.kill(-child.pid, 'SIGINT')
    if (!(await ended)) {
      process.kill(-child.pid, 'SIGKILL')
      throw new Error(`npm start did not stop within ${STOP_MS_MAX} ms of Ctrl-C`)
    }
  }
  if (!process.env.TRIBUTARY_E2E_KEEP) fs.rmSync(home, { recursive: true, force: true })
}

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<net.Server>((resolve, reject) => {
          const server = net.createServer()
          server.once('error', reject)
          server.listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
