import * as path from 'node:path'
import { ensureBrowser } from './browser.ts'
import { runCommand } from './command.ts'
import { e2eFolder, rootFolder } from './repository.ts'

/**
 * `npm run screenshots -- [NAME part …] [--stack FILE]`: pictures of every page of the console into e2e/screenshots, in light
 * and dark, 1440 and 390 wide. It runs a stack of its own in a home of its own, with the demo project; `--stack` names the
 * run/stack.json of one that runs already. Its sign-in link opens once, so the session is kept beside the pictures. Fails when
 * a page cannot be shown, or is wider than its window.
 */
const main = path.join(e2eFolder, 'tour', 'main.ts')
const { code } = await runCommand(process.execPath, ['--import', 'tsx', main, ...process.argv.slice(2)], {
  cwd: rootFolder,
  env: { CHROMIUM_PATH: ensureBrowser() },
})
process.exitCode = code
