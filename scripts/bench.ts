import * as path from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureBrowser } from './browser.ts'
import { runCommand } from './command.ts'
import { apiFolder, e2eFolder, engineFolder, listFiles, rootFolder } from './repository.ts'

/**
 * `npm run bench -- NAME [--json] [--quick]`: builds, then runs NAME.bench.ts of the engine, the API or the console (in a
 * browser). With --json the last line printed is one JSON object { bench, figures, ratios }. `--quick` makes a short run that shows only that the benchmark works.
 */
const files = new Map(
  [engineFolder, apiFolder, e2eFolder]
    .flatMap((folder) => listFiles(path.join(folder, 'bench')))
    .filter((file) => file.endsWith('.bench.ts'))
    .map((file) => [path.basename(file, '.bench.ts'), file]),
)
const args = process.argv.slice(2)
const name = args.find((arg) => !arg.startsWith('--'))
const file = name === undefined ? undefined : files.get(name)
if (name === undefined || file === undefined) {
  console.error(`usage: npm run bench -- NAME [--json] [--quick]\nNAME is one of: ${[...files.keys()].join(', ')}`)
  process.exit(2)
}

const isConsole = file.startsWith(e2eFolder)
const parts = isConsole ? [] : [file.startsWith(engineFolder) ? '--engine' : '--without-console']
const build = ['--import', 'tsx', 'scripts/build.ts', ...parts]
const { code } = await runCommand(process.execPath, build, { cwd: rootFolder })
if (code !== 0) process.exit(1)
if (isConsole) process.env.CHROMIUM_PATH = ensureBrowser()

const module: unknown = await import(pathToFileURL(file).href)
if (typeof module !== 'object' || module === null || !('bench' in module) || typeof module.bench !== 'function') {
  throw new Error(`bench/${name}.bench.ts exports no function "bench"`)
}
const report: unknown = await module.bench({
  say: (line: string) => console.error(line),
  isQuick: args.includes('--quick'),
})
console.log(args.includes('--json') ? JSON.stringify(report) : JSON.stringify(report, null, 2))
process.exit(0)
