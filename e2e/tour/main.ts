import * as fs from 'node:fs'
import * as path from 'node:path'
import { chromium } from '@playwright/test'
import { type StackFile, startStack } from '../stack/stack.ts'
import { tourPlace } from './demo-history.ts'
import { scenesOf } from './scenes.ts'
import { takePictures } from './take-pictures.ts'

/** `npm run screenshots`: see scripts/screenshots.ts, which calls this with the path of a browser. */
const args = process.argv.slice(2)
const stackArg = args.indexOf('--stack')
const given = stackArg < 0 ? undefined : args[stackArg + 1]
const names = args.filter((arg, index) => !arg.startsWith('--') && (stackArg < 0 || index !== stackArg + 1))
const folder = path.join(path.dirname(import.meta.dirname), 'screenshots')
const sessionFile = path.join(folder, 'session.json')
fs.mkdirSync(folder, { recursive: true })

const stack = given === undefined ? await startStack() : undefined
try {
  const file = stack?.file ?? (JSON.parse(fs.readFileSync(given ?? '', 'utf8')) as StackFile)
  process.env.TRIBUTARY_E2E_STACK_JSON = JSON.stringify(file)
  const browser = await chromium.launch({
    ...(process.env.CHROMIUM_PATH === undefined ? {} : { executablePath: process.env.CHROMIUM_PATH }),
    args: ['--no-sandbox', '--disable-gpu'],
  })
  try {
    const session =
      given !== undefined && fs.existsSync(sessionFile)
        ? (JSON.parse(fs.readFileSync(sessionFile, 'utf8')) as Awaited<ReturnType<typeof signIn>>)
        : await signIn(file.signInUrl)
    fs.writeFileSync(sessionFile, JSON.stringify(session), { mode: 0o600 })
    const scenes = scenesOf(await tourPlace(true)).filter(
      (scene) => names.length === 0 || names.some((name) => scene.name.includes(name)),
    )
    const failures = await takePictures(scenes, { browser, webUrl: file.webUrl, session, folder, say: console.log })
    console.log(`${scenes.length} pages are in ${path.relative(process.cwd(), folder)}`)
    for (const failure of failures) console.error(failure)
    process.exitCode = failures.length === 0 ? 0 : 1
  } finally {
    await browser.close()
  }

  async function signIn(signInUrl: string) {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(signInUrl)
    await page.getByRole('heading', { name: 'Projects', level: 1 }).waitFor()
    return context.storageState()
  }
} finally {
  await stack?.stop()
}
