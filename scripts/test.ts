import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { binary, runCommand } from './command.ts'
import { apiFolder, e2eFolder, engineFolder, listFiles, option, rootFolder, webFolder } from './repository.ts'

/**
 * `npm test`: checks, builds, then every rung of the ladder. The rungs run one after the other, because each can use the
 * whole machine; within the cheap ones files run in parallel. The last line is `N passed, N failed, N skipped`.
 *
 *   --only unit,pg    these rungs alone (check, unit, pg, sim, differential, fuzz, e2e, api-unit, api-pg, api-e2e, ui, web, console)
 */
interface Outcome {
  readonly name: string
  readonly seconds: number
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** What failed and why, said again at the end, where one looks first. */
  readonly failures?: readonly string[]
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

/** One vitest project (all of a folder without one); counts come from its JSON report. */
async function rung(name: string, folder: string, project: string | undefined): Promise<void> {
  if (!isWanted(name) || !fs.existsSync(path.join(folder, 'vitest.config.ts'))) return
  console.log(`\n=== ${name}`)
  const report = path.join(scratch, `${name}.json`)
  const { code, seconds } = await runCommand(
    binary(rootFolder, 'vitest'),
    [
      'run',
      ...(project === undefined ? [] : ['--project', project]),
      '--passWithNoTests',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    { cwd: folder },
  )
  const counts = readReport(report)
  // A file that fails to load has no tests to count; it must not pass for green.
  const failed = counts.failed === 0 && code !== 0 ? 1 : counts.failed
  outcomes.push({ name, seconds, passed: counts.passed, failed, skipped: counts.skipped, failures: counts.failures })
}

/** The console in a real browser; counts come from Playwright's JSON report. */
async function consoleRung(): Promise<void> {
  const specs = listFiles(path.join(e2eFolder, 'specs')).filter((file) => file.endsWith('.spec.ts'))
  if (!isWanted('console') || specs.length === 0) return
  console.log('\n=== console')
  const report = path.join(scratch, 'console.json')
  const { code, seconds } = await runCommand(process.execPath, ['--import', 'tsx', 'scripts/e2e.ts'], {
    cwd: rootFolder,
    env: { TRIBUTARY_E2E_REPORT: report },
  })
  const json: unknown = fs.existsSync(report) ? JSON.parse(fs.readFileSync(report, 'utf8')) : undefined
  const stats = typeof json === 'object' && json !== null && 'stats' in json ? json.stats : undefined
  const [passed, bad, flaky, skipped] = ['expected', 'unexpected', 'flaky', 'skipped'].map((key) =>
    numberOf(stats, key),
  )
  const failed = (bad ?? 0) + (flaky ?? 0)
  outcomes.push({
    name: 'console',
    seconds,
    passed: passed ?? 0,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: skipped ?? 0,
  })
}

function numberOf(report: unknown, key: string): number {
  const entries = typeof report === 'object' && report !== null ? Object.entries(report) : []
  const value: unknown = entries.find(([name]) => name === key)?.[1]
  return typeof value === 'number' ? value : 0
}

/** Of Vitest's JSON report: counts, and each failed test (or file that failed to load) with the begin of its message. */
function readReport(file: string): { passed: number; failed: number; skipped: number; failures: string[] } {
  if (!fs.existsSync(file)) return { passed: 0, failed: 0, skipped: 0, failures: [] }
  const report: unknown = JSON.parse(fs.readFileSync(file, 'utf8'))
  const number = (key: string) => numberOf(report, key)
  return {
    passed: number('numPassedTests'),
    failed: number('numFailedTests'),
    skipped: number('numPendingTests') + number('numTodoTests'),
    failures: failuresOf(report),
  }
}

interface ReportedFile {
  readonly name: string
  readonly status: string
  readonly message: string
  readonly assertionResults: readonly { fullName: string; status: string; failureMessages: readonly string[] | null }[]
}

const FAILURE_LINES = 12

function failuresOf(report: unknown): string[] {
  const files = (report as { testResults?: readonly ReportedFile[] }).testResults ?? []
  return files.flatMap((file) => {
    const name = path.relative(rootFolder, file.name)
    const tests = file.assertionResults.filter((test) => test.status === 'failed')
    if (tests.length === 0) return file.status === 'failed' ? [`${name}\n${firstLines(file.message)}`] : []
    return tests.map((test) => `${name} > ${test.fullName}\n${firstLines((test.failureMessages ?? []).join('\n'))}`)
  })
}

function firstLines(message: string): string {
  return message
    .split('\n')
    .slice(0, FAILURE_LINES)
    .map((line) => `    ${line}`)
    .join('\n')
}

try {
  // The console is built where it is used.
  const needsConsole = only === undefined || only.includes('console')
  const part = needsConsole ? [] : only.every((name) => !name.startsWith('api')) ? ['--engine'] : ['--without-console']
  await step('build', process.execPath, ['--import', 'tsx', 'scripts/build.ts', ...part], rootFolder)
  if (isWanted('check')) await step('check', process.execPath, ['--import', 'tsx', 'scripts/check.ts'], rootFolder)
  for (const name of ['unit', 'pg', 'sim', 'differential']) await rung(name, engineFolder, name)
  if (isWanted('fuzz'))
    await step('fuzz', process.execPath, ['--import', 'tsx', 'scripts/fuzz.ts', '--smoke'], rootFolder)
  await rung('ui', path.join(rootFolder, 'packages', 'ui'), undefined)
  await rung('web', webFolder, undefined)
  for (const name of ['unit', 'pg', 'e2e']) await rung(`api-${name}`, apiFolder, name)
  await rung('e2e', engineFolder, 'e2e')
  await consoleRung()
} finally {
  fs.rmSync(scratch, { recursive: true, force: true })
}

for (const { name, failures } of outcomes) {
  for (const failure of failures ?? []) console.log(`\nfailed in ${name}: ${failure}`)
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
