import * as path from 'node:path'
import { pathToFileURL } from 'node:url'
import { runCommand } from './command.ts'
import { engineFolder, listFiles, rootFolder } from './repository.ts'

/**
 * `npm run bench -- NAME [--json] [--quick]`: builds, then runs bench/NAME.bench.ts. With --json the last line printed is
 * one JSON object { bench, figures, ratios }. `--quick` makes a short run that shows only that the benchmark works.
 */
const folder = path.join(engineFolder, 'bench')
const names = listFiles(folder)
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => path.basename(file, '.bench.ts'))
const args = process.argv.slice(2)
const name = args.find((arg) => !arg.startsWith('--'))
if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run bench -- NAME [--json] [--quick]\nNAME is one of: ${names.join(', ')}`)
  process.exit(2)
}

const { code } = await runCommand(process.execPath, ['--import', 'tsx', 'scripts/build.ts'], { cwd: rootFolder })
if (code !== 0) process.exit(1)

const module: unknown = await import(pathToFileURL(path.join(folder, `${name}.bench.ts`)).href)
if (typeof module !== 'object' || module === null || !('bench' in module) || typeof module.bench !== 'function') {
  throw new Error(`bench/${name}.bench.ts exports no function "bench"`)
}
const report: unknown = await module.bench({
  say: (line: string) => console.error(line),
  isQuick: args.includes('--quick'),
})
console.log(args.includes('--json') ? JSON.stringify(report) : JSON.stringify(report, null, 2))
process.exit(0)
