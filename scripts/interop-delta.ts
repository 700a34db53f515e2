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
  { name: 'duckdb', packages: ['duckdb==1.5.5', 'duckdb-extension-delta==1.5.5'] },
  { name: 'pyspark', packages: ['pyspark==4.0.1', 'delta-spark==4.0.1'], needs: 'java' },
]

/** Lets each engine read the tables of test/interop/delta-readers.test.ts; one that cannot be had is reported as skipped. */
export async function runDeltaReaders(only: readonly string[] | undefined): Promise<string[]> {
  const lines: string[] = []
  for (const reader of readers) {
    if (only && !only.includes(reader.name)) continue
    const folder = path.join(os.tmpdir(), `tributary-interop-${reader.name}`)
    try {
      console.log(`installing ${reader.name} into ${folder} ...`)
      if (reader.needs) execFileSync(reader.needs, ['-version'], { stdio: 'ignore' })
      if (!fs.existsSync(path.join(folder, 'installed'))) {
        execFileSync('python3', ['-m', 'venv', folder], { stdio: 'ignore' })
        const pip = path.join(folder, 'bin', 'pip')
        execFileSync(pip, ['install', '--quiet', '--disable-pip-version-check', ...reader.packages], {
          stdio: 'ignore',
        })
        fs.writeFileSync(path.join(folder, 'installed'), '')
      }
    } catch (error) {
      const text = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
      lines.push(`SKIPPED ${reader.name}: cannot be installed here (${text})`)
      continue
    }
    const test = ['run', '--project', 'interop', 'test/interop/delta-readers.test.ts']
    const { code } = await runCommand(binary(rootFolder, 'vitest'), test, {
      cwd: engineFolder,
      env: {
        TRIBUTARY_DELTA_PYTHON: path.join(folder, 'bin', 'python'),
        TRIBUTARY_DELTA_READERS: reader.name,
      },
    })
    lines.push(`${code === 0 ? 'passed ' : 'FAILED '} ${reader.name}`)
    if (code !== 0) process.exitCode = 1
  }
  return lines
}
