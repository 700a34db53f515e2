import { expect, test } from 'vitest'
import { parseLocalStackConfig } from './local-stack-config.ts'

test('defaults make a stack on the local folder', () => {
  const config = parseLocalStackConfig({ TRIBUTARY_HOME: '/srv/t' })
  expect(config).toMatchObject({
    home: '/srv/t',
    postgresPort: 5433,
    adminPort: 5434,
    objectStore: { kind: 'local', folder: '/srv/t/objects' },
  })
})

test('a wrong value is named by its variable, and an empty one counts as not set', () => {
  expect(() => parseLocalStackConfig({ TRIBUTARY_PG_PORT: '70000' })).toThrow(/TRIBUTARY_PG_PORT/)
  expect(() => parseLocalStackConfig({ TRIBUTARY_PG_PORT: 'abc' })).toThrow(/TRIBUTARY_PG_PORT/)
  expect(() => parseLocalStackConfig({ TRIBUTARY_COMPUTE_MODE: 'magic' })).toThrow(/TRIBUTARY_COMPUTE_MODE/)
  expect(() => parseLocalStackConfig({ TRIBUTARY_INGEST_LAG_MAX_MB: '1' })).toThrow(/TRIBUTARY_INGEST_LAG_MAX_MB/)
  expect(parseLocalStackConfig({ TRIBUTARY_PG_PORT: '' }).postgresPort).toBe(5433)
})

test('naming a bucket moves the objects to S3', () => {
  const config = parseLocalStackConfig({ TRIBUTARY_S3_BUCKET: 'b', TRIBUTARY_S3_ENDPOINT: 'http://127.0.0.1:9000' })
  expect(config.objectStore).toMatchObject({ kind: 's3', bucket: 'b', endpoint: 'http://127.0.0.1:9000' })
})
