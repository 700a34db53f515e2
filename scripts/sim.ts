import { binary, runCommand } from './command.ts'
import { engineFolder, rootFolder } from './repository.ts'

/**
 * `npm run sim -- --seed N --runs M [--pages] [--log]`: seeds of the simulation, one line each (see sim/run.ts).
 * `npm run sim -- [file name part …]`: this rung of the ladder alone.
 */
const args = process.argv.slice(2)
const { code } = args.some((arg) => arg.startsWith('--'))
  ? await runCommand(process.execPath, ['--import', 'tsx', 'sim/run.ts', ...args], { cwd: engineFolder })
  : await runCommand(binary(rootFolder, 'vitest'), ['run', '--project', 'sim', ...args], { cwd: engineFolder })
process.exitCode = code
