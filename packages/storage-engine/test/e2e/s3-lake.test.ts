import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
// @ts-expect-error the package has no types
import S3rver from 's3rver'
import { testLakeOnS3 } from '../lake-on-s3.ts'

/** `npm run interop` runs the same over servers that know If-None-Match. */
testLakeOnS3(async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-s3rver-'))
  const server = new S3rver({ port: 0, address: '127.0.0.1', directory, silent: true })
  const { port } = await server.run()
  return {
    endpoint: `http://127.0.0.1:${port}`,
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
    async close() {
      await server.close()
      fs.rmSync(directory, { recursive: true, force: true })
    },
  }
})
