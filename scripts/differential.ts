import { binary, runCommand } from './command.ts'
import { engineFolder, rootFolder } from './repository.ts'

/** `npm run differential -- [file name part …]`: this rung of the ladder alone. */
const { code } = await runCommand(
  binary(rootFolder, 'vitest'),
  ['run', '--project', 'differential', ...process.argv.slice(2)],
  {
    cwd: engineFolder,
  },
)
process.exitCode = code
