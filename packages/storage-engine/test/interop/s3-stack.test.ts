import * as fs from 'node:fs'
import * as path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Ledger } from '../e2e/ledger.ts'
import { expectPromisesKept } from '../e2e/promises.ts'
import { createBucket } from '../s3-bucket.ts'
import { type Stack, startStack } from '../stack-fixture.ts'

/** The whole stack over an S3-compatible server that nobody here wrote; `npm run interop` starts one. */
const endpoint = process.env['TRIBUTARY_INTEROP_ENDPOINT']
const credentials = {
  accessKeyId: process.env['TRIBUTARY_INTEROP_ACCESS_KEY'] ?? 'interop',
  secretAccessKey: process.env['TRIBUTARY_INTEROP_SECRET_KEY'] ?? 'interop-secret',
}
const BUCKET = 'tributary-stack'
let stack: Stack

beforeAll(async () => {
  if (endpoint === undefined) return
  await createBucket({ region: 'us-east-1', endpoint, bucket: BUCKET, ...credentials })
  stack = await startStack({
    env: {
      TRIBUTARY_S3_BUCKET: BUCKET,
      TRIBUTARY_S3_ENDPOINT: endpoint,
      TRIBUTARY_S3_PREFIX: `stack-${process.pid}`,
      TRIBUTARY_S3_ACCESS_KEY_ID: credentials.accessKeyId,
      TRIBUTARY_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
  })
}, 180_000)

afterAll(() => stack?.cleanup())

test.skipIf(endpoint === undefined)(
  'on S3 a PageServer with an empty disk comes back, a branch is made, and nothing acknowledged is lost',
  async () => {
    const ledger = new Ledger({ clientCount: 3, connection: () => ({ connectionString: stack.uri }) })
    try {
      await ledger.createTables()
      ledger.start()
      await ledger.progress(100)
      await stack.kill('pageserver')
      await ledger.progress(50)
      // The PageServer is coming back, from S3 alone as far as its claim goes.
      await expect.poll(() => stack.createBranch('side'), { timeout: 60_000, interval: 500 }).toBeDefined()
      await ledger.progress(50)
      await ledger.stop()
      // Nothing but S3 and the SafeKeepers is left of it.
      await stack.admin('POST', '/branches/main/stop')
      await stack.admin('POST', '/processes/pageserver/stop')
      fs.rmSync(path.join(stack.home, 'pageserver'), { recursive: true })
      expect(fs.existsSync(path.join(stack.home, 'objects'))).toBe(false)
      await stack.admin('POST', '/processes/pageserver/start')
      await stack.admin('POST', '/branches/main/start')
    } catch (error) {
      throw new Error(`${String(error)}\n${stack.logTail()}`)
    }
    await expectPromisesKept(stack, ledger)
    await stack.startBranch('side')
    const [side] = await stack.query<{ n: string }>('select count(*) n from ledger', [], 'side')
    expect(Number(side?.n)).toBeGreaterThanOrEqual(150)
  },
  400_000,
)
