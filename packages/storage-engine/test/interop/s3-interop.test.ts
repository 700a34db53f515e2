import { test } from 'vitest'
import { silentLog } from '../../src/io/log.ts'
import { nodeClock } from '../../src/io/node-clock.ts'
import { nodeRandom } from '../../src/io/node-random.ts'
import { describeObjectStore } from '../../src/object-store/object-store.contract.ts'
import { retryObjectStore } from '../../src/object-store/retrying-object-store.ts'
import { openS3ObjectStore } from '../../src/object-store/s3-object-store.ts'
import { createBucket } from '../s3-bucket.ts'

/** Set by `npm run interop`: an S3-compatible server that nobody here wrote. */
const endpoint = process.env['TRIBUTARY_INTEROP_ENDPOINT']

if (endpoint === undefined) {
  test.skip('S3 interop [skipped: started without a server, use npm run interop]', () => undefined)
} else {
  const config = {
    kind: 's3',
    bucket: 'tributary-interop',
    region: 'us-east-1',
    prefix: 'some/prefix',
    endpoint,
    accessKeyId: process.env['TRIBUTARY_INTEROP_ACCESS_KEY'] ?? 'interop',
    secretAccessKey: process.env['TRIBUTARY_INTEROP_SECRET_KEY'] ?? 'interop-secret',
    requestTimeoutMs: 30_000,
  } as const
  describeObjectStore({
    name: `S3 at ${endpoint} (${process.env['TRIBUTARY_INTEROP_NAME'] ?? 'unnamed'})`,
    open: async () => {
      await createBucket(config)
      // As production composes it: a server that answers 500 to racing writers (moto does) is asked again.
      const env = { clock: nodeClock, random: nodeRandom, log: silentLog }
      return { store: retryObjectStore(openS3ObjectStore(config), env), close: async () => undefined }
    },
  })
}
