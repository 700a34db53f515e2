import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { binary, runCommand } from './command.ts'
import { engineFolder, option, rootFolder } from './repository.ts'

/**
 * `npm test`: checks, builds, then every rung of the ladder. The rungs run one after the other, because each can use the
 * whole machine; within the cheap ones files run in parallel. The last line is `N passed, N failed, N skipped`.
 *
 *   --only unit,pg    these rungs alone (check, unit, pg, sim, differential, ui, web, fuzz, e2e)
 */
interface Outcome {
  readonly name: string
  readonly seconds: number
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const args = process.argv.slice(2)
const only = option(args, 'only')?.split(',')
const isWanted = (name: string) => only === undefined || only.includes(name)
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-test-'))
const outcomes: Outcome[] = []

/** A command as one test of its own. */
async function step(name: string, command: string, commandArgs: readonly string[], cwd: string): Promise<void> {
  console.log(`\n=== ${name}`)
  const { code, seconds } = await runCommand(command, commandArgs, { cwd })
  outcomes.push({ name, seconds, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 })
}

/** One vitest project of the engine, or all tests of another workspace; counts come from the JSON report. */
async function rung(name: string, workspace?: string): Promise<void> {
  console.log(`\n=== ${name}`)
  const report = path.join(scratch, `${name}.json`)
  const { code, seconds } = await runCommand(
    binary(rootFolder, 'vitest'),
    [
      'run',
      ...(workspace === undefined ? ['--project', name] : []),
      '--passWithNoTests',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    { cwd: workspace === undefined ? engineFolder : path.join(rootFolder, workspace) },
  )
  const counts = readReport(report)
  // A file that fails to load has no tests to count; it must not pass for green.
  const failed = counts.failed === 0 && code !== 0 ? 1 : counts.failed
  outcomes.push({ name, seconds, passed: counts.passed, failed, skipped: counts.skipped })
}

function readReport(file: string): { passed: number; failed: number; skipped: number } {
  if (!fs.existsSync(file)) return { passed: 0, failed: 0, skipped: 0 }
  const report: unknown = JSON.parse(fs.readFileSync(file, 'utf8'))
  const number = (key: string) => {
    const value =
      typeof report === 'object' && report !== null ? Object.entries(report).find(([name]) => name === key)?.[1] : 0
    return typeof value === 'number' ? value : 0
  }
  return {
    passed: number('numPassedTests'),
    failed: number('numFailedTests'),
    skipped: number('numPendingTests') + number('numTodoTests'),
  }
}

try {
  await step('build', process.execPath, ['--import', 'tsx', 'scripts/build.ts'], rootFolder)
  if (isWanted('check')) await step('check', process.execPath, ['--import', 'tsx', 'scripts/check.ts'], rootFolder)
  for (const name of ['unit', 'pg', 'sim', 'differential']) if (isWanted(name)) await rung(name)
  if (isWanted('ui')) await rung('ui', 'packages/ui')
  if (isWanted('web')) await rung('web', 'apps/web')
  if (isWanted('fuzz'))
    await step('fuzz', process.execPath, ['--import', 'tsx', 'scripts/fuzz.ts', '--smoke'], rootFolder)
  if (isWanted('e2e')) await rung('e2e')
} finally {
  fs.rmSync(scratch, { recursive: true, force: true })
}

console.log('\nrung           seconds   passed   failed  skipped')
for (const { name, seconds, passed, failed, skipped } of outcomes) {
  console.log(
    `${name.padEnd(14)} ${seconds.toFixed(0).padStart(7)} ${String(passed).padStart(8)} ${String(failed).padStart(8)} ${String(skipped).padStart(8)}`,
  )
}
const sum = (pick: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + pick(outcome), 0)
const failed = sum((outcome) => outcome.failed)
console.log(`wall clock: ${(sum((outcome) => outcome.seconds) / 60).toFixed(1)} min`)
console.log(
  `${sum((outcome) => outcome.passed)} passed, ${failed} failed, ${sum((outcome) => outcome.skipped)} skipped`,
)
process.exitCode = failed === 0 ? 0 : 1
