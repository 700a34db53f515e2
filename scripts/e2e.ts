import * as fs from 'node:fs'
import * as path from 'node:path'
import { ensureBrowser } from './browser.ts'
import { binary, runCommand } from './command.ts'
import { e2eFolder, engineFolder, listFiles, rootFolder } from './repository.ts'

/**
 * `npm run e2e -- [file name part …]`: the console in a real browser (Playwright), on a stack as a newcomer starts it.
 * `npm run e2e -- --engine …`: the engine's whole-stack tests instead.
 */
const args = process.argv.slice(2)
const isEngine = args.includes('--engine')
const specs = listFiles(path.join(e2eFolder, 'specs')).filter((file) => file.endsWith('.spec.ts'))
const names = args.filter((arg) => arg !== '--engine')

if (isEngine) {
  process.exitCode = await run('vitest', ['run', '--project', 'e2e', ...names], engineFolder)
} else if (specs.length === 0) {
  console.log('there are no end-to-end specs')
} else {
  const browser = ensureBrowser()
  fs.mkdirSync(path.join(e2eFolder, 'test-results'), { recursive: true })
  process.exitCode = await run('playwright', ['test', ...names], e2eFolder, { CHROMIUM_PATH: browser })
}

async function run(
  name: string,
  commandArgs: string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<number> {
  return (await runCommand(binary(rootFolder, name), commandArgs, { cwd, env })).code
}
