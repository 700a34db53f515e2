import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { expect, test } from 'vitest'
import { type PublishedOnS3, type ReadPublished, testLakeOnS3 } from '../lake-on-s3.ts'

/** An S3-compatible server that nobody here wrote; `npm run interop` starts one, and names the readers it could install: `name=python,…`. */
const endpoint = process.env.TRIBUTARY_INTEROP_ENDPOINT
const readers = (process.env.TRIBUTARY_INTEROP_S3_READERS ?? '').split(',').filter((entry) => entry !== '')

const READER_MS_MAX = 120_000

if (endpoint === undefined) {
  test.skip('the lake on S3 [skipped: started without a server, use npm run interop]', () => undefined)
} else {
  testLakeOnS3(
    async () => ({
      endpoint,
      accessKeyId: process.env.TRIBUTARY_INTEROP_ACCESS_KEY ?? 'interop',
      secretAccessKey: process.env.TRIBUTARY_INTEROP_SECRET_KEY ?? 'interop-secret',
      close: async () => undefined,
    }),
    (config, tables) => {
      for (const reader of readers) readWith(reader, config, tables)
    },
  )
}

function readWith(reader: string, config: Parameters<ReadPublished>[0], published: readonly PublishedOnS3[]): void {
  const [name, python] = reader.split('=')
  // DuckDB 1.5.5 asks S3 for a key with `/../` in it.
  const tables = published.filter(({ hasFilesOutside }) => name !== 'duckdb' || !hasFilesOutside)
  expect(tables.length).toBeGreaterThan(0)
  const script = path.join(import.meta.dirname, 'read_delta.py')
  const output = execFileSync(
    python!,
    [script, name!, `s3://${config.bucket}/${config.prefix}`, ...tables.flatMap((table) => [table.path, 'id >= 0'])],
    {
      encoding: 'utf8',
      timeout: READER_MS_MAX,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        AWS_ENDPOINT_URL: config.endpoint,
        AWS_ACCESS_KEY_ID: config.accessKeyId,
        AWS_SECRET_ACCESS_KEY: config.secretAccessKey,
        AWS_REGION: config.region,
      },
    },
  )
  const seen = output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect([name, seen]).toEqual([
    name,
    tables.map(({ path: prefix, expected }) => ({ prefix, ...expected, where: expected })),
  ])
}
