import { spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { connect } from 'node:net'
import * as os from 'node:os'
import * as path from 'node:path'
import { findProgram } from '../../../packages/storage-engine/src/io/find-program.ts'
import { unprivilegedAccount } from '../src/shared/unprivileged-account.ts'

const START_MS_MAX = 5_000

/**
 * PgBouncer in session mode before the compute, over TCP on both sides: what a proxy in C costs on this machine. Undefined where it
 * is not installed.
 */
export async function startYardstick(compute: URL, port: number): Promise<{ url: URL; stop(): void } | undefined> {
  const program = findProgram('pgbouncer', process.env)
  if (program === undefined) return undefined
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-yardstick-'))
  const account = unprivilegedAccount()
  const write = (name: string, text: string) => {
    fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 })
    if (account) fs.chownSync(path.join(folder, name), account.uid, account.gid)
  }
  if (account) fs.chownSync(folder, account.uid, account.gid)
  write('users.txt', `"${compute.username}" "${compute.password}"\n`)
  const settings = [
    '[databases]',
    `* = host=${compute.hostname} port=${compute.port}`,
    '[pgbouncer]',
    `listen_addr = ${compute.hostname}`,
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = plain',
    `auth_file = ${path.join(folder, 'users.txt')}`,
    'pool_mode = session',
    'default_pool_size = 50',
    'ignore_startup_parameters = extra_float_digits',
  ]
  write('pgbouncer.ini', `${settings.join('\n')}\n`)
  const child = spawn(program, ['-q', path.join(folder, 'pgbouncer.ini')], { stdio: 'ignore', ...account })
  const stop = () => {
    child.kill('SIGTERM')
    fs.rmSync(folder, { recursive: true, force: true })
  }
  const deadlineMs = performance.now() + START_MS_MAX
  while (!(await isListening(compute.hostname, port))) {
    if (child.exitCode === null && performance.now() < deadlineMs) continue
    stop()
    throw new Error('PgBouncer did not start')
  }
  const url = new URL(compute)
  url.port = String(port)
  return { url, stop }
}

/** Waits a little before it says no. */
function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => setTimeout(() => resolve(false), 20))
  })
}
