import * as fs from 'node:fs'
import * as path from 'node:path'
import { binary, runCommand } from './command.ts'
import { generate } from './generate.ts'
import { rootFolder, typedWorkspaces } from './repository.ts'

/**
 * `npm run check`: types of every workspace, lint and format, layout rules. Every part runs, so that one call shows all
 * there is to mend. What the type checker has worked out is kept in node_modules/.cache for the next call.
 */
const cache = path.join(rootFolder, 'node_modules', '.cache', 'tributary')
fs.mkdirSync(cache, { recursive: true })

const types = [...typedWorkspaces(), { name: 'scripts', folder: path.join(rootFolder, 'scripts') }].map(
  ({ name, folder }) => ({
    name: `types (${name})`,
    command: binary(rootFolder, 'tsc'),
    args: ['-p', folder, '--incremental', '--tsBuildInfoFile', path.join(cache, `${name}.tsbuildinfo`)],
  }),
)
const parts = [
  ...types,
  {
    name: 'lint and format',
    command: binary(rootFolder, 'biome'),
    args: ['ci', '--enforce-assist=false', '--colors=off', '--diagnostic-level=warn', '.'],
  },
  { name: 'layout', command: process.execPath, args: ['--import', 'tsx', 'scripts/tidy.ts'] },
]

await generate()
const failed: string[] = []
const waiting = [...parts]
// Two at a time: the type checker uses one core.
await Promise.all([work(), work()])

async function work(): Promise<void> {
  for (let part = waiting.shift(); part; part = waiting.shift()) {
    const { code, seconds } = await runCommand(part.command, part.args, { cwd: rootFolder })
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${part.name} (${seconds.toFixed(1)} s)`)
    if (code !== 0) failed.push(part.name)
  }
}

if (failed.length > 0) {
  console.log(`check failed: ${failed.join(', ')}`)
  process.exitCode = 1
}
