import { binary, runCommand } from './command.ts'
import { rootFolder } from './repository.ts'

/** `npm run check`: types, lint and format, layout rules. Every part runs, so that one call shows all there is to mend. */
const parts: [name: string, command: string, args: string[]][] = [
  ['types (engine)', binary(rootFolder, 'tsc'), ['-p', 'packages/storage-engine']],
  ['types (api)', binary(rootFolder, 'tsc'), ['-p', 'apps/api']],
  ['types (ui)', binary(rootFolder, 'tsc'), ['-p', 'packages/ui']],
  ['types (web)', binary(rootFolder, 'tsc'), ['-p', 'apps/web']],
  ['types (scripts)', binary(rootFolder, 'tsc'), ['-p', 'scripts']],
  [
    'lint and format',
    binary(rootFolder, 'biome'),
    ['ci', '--enforce-assist=false', '--colors=off', '--diagnostic-level=warn', '.'],
  ],
  ['layout', process.execPath, ['--import', 'tsx', 'scripts/tidy.ts']],
]

const failed: string[] = []
for (const [name, command, args] of parts) {
  const { code, seconds } = await runCommand(command, args, { cwd: rootFolder })
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds.toFixed(1)} s)`)
  if (code !== 0) failed.push(name)
}
if (failed.length > 0) {
  console.log(`check failed: ${failed.join(', ')}`)
  process.exitCode = 1
}
