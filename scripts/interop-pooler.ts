import { execFileSync } from 'node:child_process'
import { findProgram } from '../packages/storage-engine/src/io/find-program.ts'
import { binary, runCommand } from './command.ts'
import { apiFolder, rootFolder } from './repository.ts'

const NAME = 'pgbouncer'

/** Pooled connections through a real PgBouncer: the one on this machine, or the system's package when we may install it. */
export async function runPoolerTest(only: readonly string[] | undefined): Promise<string[]> {
  if (only && !only.includes(NAME)) return []
  if (!findProgram(NAME, process.env)) {
    try {
      if (process.getuid?.() !== 0) throw new Error('it is not installed, and only root may install it')
      console.log(`installing ${NAME} ...`)
      execFileSync('apt-get', ['install', '-y', '--no-install-recommends', NAME], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
    } catch (error) {
      const text = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
      return [`SKIPPED ${NAME}: ${text}`]
    }
  }
  const { code } = await runCommand(binary(rootFolder, 'vitest'), ['run', '--project', 'pg', 'src/proxy/pooler'], {
    cwd: apiFolder,
  })
  if (code !== 0) process.exitCode = 1
  return [`${code === 0 ? 'passed ' : 'FAILED '} ${NAME}`]
}
