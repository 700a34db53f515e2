import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { binary, runCommand } from './command.ts'
import { engineFolder, rootFolder } from './repository.ts'

/** Engines that read the published Delta tables, each with the Python packages that bring it. */
const readers: readonly { readonly name: string; readonly packages: readonly string[]; readonly needs?: string }[] = [
  { name: 'deltalake', packages: ['deltalake==1.6.6', 'pyarrow==26.0.1'] },
  // The extension fits the engine of its own version alone.
  { name: 'duckdb', packages: ['duckdb==1.5.5', 'duckdb-extension-delta==1.5.5', 'duckdb-extension-httpfs==1.5.5'] },
  { name: 'pyspark', packages: ['pyspark==4.0.1', 'delta-spark==4.0.1'], needs: 'java' },
]

/** Those that read tables in S3 with nothing but their packages. */
const S3_READERS = ['deltalake', 'duckdb']

/** The Python that has the reader. Throws with the reason when it cannot be installed. */
function install({ name, packages, needs }: (typeof readers)[number]): string {
  const folder = path.join(os.tmpdir(), `tributary-interop-${name}`)
  if (needs) execFileSync(needs, ['-version'], { stdio: 'ignore' })
  const installed = path.join(folder, 'installed')
  if (!fs.existsSync(installed) || fs.readFileSync(installed, 'utf8') !== packages.join(' ')) {
    console.log(`installing ${name} into ${folder} ...`)
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'ignore' })
    const pip = path.join(folder, 'bin', 'pip')
    execFileSync(pip, ['install', '--quiet', '--disable-pip-version-check', ...packages], { stdio: 'ignore' })
    fs.writeFileSync(installed, packages.join(' '))
  }
  return path.join(folder, 'bin', 'python')
}

/** `name=python` of the readers that can be had for tables in S3. */
export function installS3Readers(only: readonly string[] | undefined): string[] {
  return readers.flatMap((reader) => {
    if (!S3_READERS.includes(reader.name) || (only && !only.includes(reader.name))) return []
    try {
      return [`${reader.name}=${install(reader)}`]
    } catch {
      // Reported by runDeltaReaders.
      return []
    }
  })
}

/** Lets each engine read the tables of test/interop/delta-readers.test.ts; one that cannot be had is reported as skipped. */
export async function runDeltaReaders(only: readonly string[] | undefined): Promise<string[]> {
  const lines: string[] = []
  for (const reader of readers) {
    if (only && !only.includes(reader.name)) continue
    let python: string
    try {
      python = install(reader)
    } catch (error) {
      const text = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
      lines.push(`SKIPPED ${reader.name}: cannot be installed here (${text})`)
      continue
    }
    const test = ['run', '--project', 'interop', 'test/interop/delta-readers.test.ts']
    const { code } = await runCommand(binary(rootFolder, 'vitest'), test, {
      cwd: engineFolder,
      env: { TRIBUTARY_DELTA_PYTHON: python, TRIBUTARY_DELTA_READERS: reader.name },
    })
    lines.push(`${code === 0 ? 'passed ' : 'FAILED '} ${reader.name}`)
    if (code !== 0) process.exitCode = 1
  }
  return lines
}
