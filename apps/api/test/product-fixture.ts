import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Stack, startStack } from '../../../packages/storage-engine/test/stack-fixture.ts'

const apiFolder = fileURLToPath(new URL('..', import.meta.url))

export interface Product {
  readonly restUrl: string
  readonly apiKey: string
  readonly postgresPort: number
  readonly stack: Stack
  cleanup(): Promise<void>
}

/** The whole system as `npm start` runs it, without the console and without the demo. Needs a build. */
export async function startProduct(portBase: number): Promise<Product> {
  const apps = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-apps-'))
  fs.symlinkSync(apiFolder, path.join(apps, 'api'))
  const stack = await startStack({
    portBase,
    env: {
      TRIBUTARY_APPS_FOLDER: apps,
      TRIBUTARY_API_PORT: String(portBase + 90),
      TRIBUTARY_WEB_PORT: String(portBase + 91),
      TRIBUTARY_DEMO: 'off',
    },
  })
  const file: unknown = JSON.parse(fs.readFileSync(path.join(stack.home, 'run', 'stack.json'), 'utf8'))
  const keyFile =
    typeof file === 'object' && file !== null && 'ownerApiKeyFile' in file ? String(file.ownerApiKeyFile) : ''
  return {
    restUrl: `http://127.0.0.1:${portBase + 90}/api/v2`,
    apiKey: fs.readFileSync(keyFile, 'utf8').trim(),
    postgresPort: portBase,
    stack,
    async cleanup() {
      await stack.cleanup()
      fs.rmSync(apps, { recursive: true, force: true })
    },
  }
}
