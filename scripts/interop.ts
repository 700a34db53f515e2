import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import * as fs from 'node:fs'
import * as net from 'node:net'
import * as os from 'node:os'
import * as path from 'node:path'
import { binary, runCommand } from './command.ts'
import { installS3Readers, runDeltaReaders } from './interop-delta.ts'
import { runPoolerTest } from './interop-pooler.ts'
import { engineFolder, option, rootFolder } from './repository.ts'

/**
 * `npm run interop`: the object store's contract suite, the whole stack, and the lake with its readers, against S3-compatible
 * servers that nobody here wrote. They are installed into the system's temporary folder, never into the repository; one that
 * cannot be had is reported as skipped.
 *
 * Then the published Delta tables as Python's deltalake, DuckDB's delta extension and Spark read them (interop-delta.ts), and pooled connections through PgBouncer (interop-pooler.ts).
 *
 *   --only moto,versitygw,deltalake,duckdb,pyspark,pgbouncer
 */
interface Server {
  readonly name: string
  /** Path of the program. Throws with the reason when it cannot be installed. */
  install(folder: string): string
  start(program: string, port: number, folder: string): { child: ChildProcess; accessKey: string; secretKey: string }
}

const servers: readonly Server[] = [
  {
    name: 'moto',
    install(folder) {
      const program = path.join(folder, 'bin', 'moto_server')
      if (fs.existsSync(program)) return program
      run('python3', ['-m', 'venv', folder])
      run(path.join(folder, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', 'moto[server]'])
      return program
    },
    start: (program, port) => ({
      child: spawn(program, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' }),
      accessKey: 'interop',
      secretKey: 'interop-secret',
    }),
  },
  {
    name: 'versitygw',
    install(folder) {
      const program = path.join(folder, 'bin', 'versitygw')
      if (fs.existsSync(program)) return program
      run('go', ['install', 'github.com/versity/versitygw/cmd/versitygw@latest'], {
        GOPATH: folder,
        GOBIN: path.dirname(program),
        GOFLAGS: '-modcacherw -p=1',
      })
      return program
    },
    start(program, port, folder) {
      const data = fs.mkdtempSync(path.join(folder, 'data-'))
      const [accessKey, secretKey] = ['interop', 'interop-secret']
      const child = spawn(program, ['--port', `127.0.0.1:${port}`, 'posix', data], {
        stdio: 'ignore',
        env: { ...process.env, ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
      })
      return { child, accessKey, secretKey }
    },
  },
]

function run(command: string, args: string[], env: Record<string, string> = {}): void {
  execFileSync(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 900_000,
    env: { ...process.env, ...env },
  })
}

async function freePort(): Promise<number> {
  const probe = net.createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function waitListening(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) throw new Error(`server ended with code ${child.exitCode}`)
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
    if (isUp) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('server does not listen')
}

const S3_TESTS = ['s3-interop', 's3-stack', 's3-lake'].map((name) => `test/interop/${name}.test.ts`)
const only = option(process.argv.slice(2), 'only')?.split(',')
const lines: string[] = []
const s3Readers = !only || servers.some(({ name }) => only.includes(name)) ? installS3Readers(only) : []
for (const server of servers) {
  if (only && !only.includes(server.name)) continue
  const folder = path.join(os.tmpdir(), `tributary-interop-${server.name}`)
  fs.mkdirSync(folder, { recursive: true })
  let program: string
  try {
    console.log(`installing ${server.name} into ${folder} ...`)
    program = server.install(folder)
  } catch (error) {
    const text = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    lines.push(`SKIPPED ${server.name}: cannot be installed here (${text})`)
    continue
  }
  const port = await freePort()
  const { child, accessKey, secretKey } = server.start(program, port, folder)
  try {
    await waitListening(port, child)
    const { code } = await runCommand(binary(rootFolder, 'vitest'), ['run', '--project', 'interop', ...S3_TESTS], {
      cwd: engineFolder,
      env: {
        TRIBUTARY_INTEROP_ENDPOINT: `http://127.0.0.1:${port}`,
        TRIBUTARY_INTEROP_NAME: server.name,
        TRIBUTARY_INTEROP_S3_READERS: s3Readers.join(','),
        TRIBUTARY_INTEROP_ACCESS_KEY: accessKey,
        TRIBUTARY_INTEROP_SECRET_KEY: secretKey,
      },
    })
    lines.push(`${code === 0 ? 'passed ' : 'FAILED '} ${server.name}`)
    if (code !== 0) process.exitCode = 1
  } catch (error) {
    lines.push(`FAILED  ${server.name}: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  } finally {
    child.kill('SIGTERM')
  }
}
lines.push(...(await runDeltaReaders(only)), ...(await runPoolerTest(only)))
console.log('')
for (const line of lines) console.log(line)
