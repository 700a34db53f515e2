import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface PgbenchTarget {
  readonly uri: string
}

/** Throws with a clear line when there is no pgbench: the npm package of Postgres does not carry it. */
export async function requirePgbench(): Promise<void> {
  try {
    await run('pgbench', ['--version'])
  } catch (error) {
    throw new Error('this benchmark needs pgbench on PATH (Debian: postgresql-contrib or postgresql-client)', {
      cause: error,
    })
  }
}

export async function pgbenchInit(target: PgbenchTarget, scale: number): Promise<void> {
  await run('pgbench', ['-i', '-q', '-I', 'dtGvp', '-s', String(scale), target.uri], { maxBuffer: 64 * 1024 * 1024 })
}

/** Transactions per second without the time of connecting. */
export async function pgbenchRun(
  target: PgbenchTarget,
  options: { clients: number; seconds: number; isSelectOnly?: boolean },
): Promise<number> {
  const args = [
    ...['-n', '-M', 'prepared', '-c', String(options.clients), '-j', String(Math.min(2, options.clients))],
    ...['-T', String(options.seconds), ...(options.isSelectOnly ? ['-S'] : []), target.uri],
  ]
  const { stdout } = await run('pgbench', args, { maxBuffer: 64 * 1024 * 1024 })
  const match = /tps = ([\d.]+)/.exec(stdout)
  if (!match) throw new Error(`pgbench printed no tps:\n${stdout}`)
  return Number(match[1])
}
