import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readQueryWorkerConfig } from './query-worker-config.ts'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-config-'))

afterAll(() => fs.rmSync(folder, { recursive: true }))

function read(config: unknown): ReturnType<typeof readQueryWorkerConfig> {
  const file = path.join(folder, 'config.json')
  fs.writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config))
  return readQueryWorkerConfig({ TRIBUTARY_CONFIG: file })
}

const least = {
  dataDirectory: '/srv/q',
  httpPort: 0,
  pageserver: { host: '127.0.0.1', port: 1, httpPort: 2 },
  objectStore: { kind: 'local', folder: '/srv/objects' },
}

test('the least configuration has bounds for everything else', () => {
  expect(read(least)).toMatchObject({
    concurrentQueries: 2,
    queuedQueriesMax: 64,
    queryMemoryMb: 1024,
    safekeepers: [],
  })
})

test('a configuration that is not one is refused by the name of its field', () => {
  expect(() => read({ ...least, httpPort: 70_000 })).toThrow(/httpPort/)
  expect(() => read({ ...least, queryMemoryMb: 1 })).toThrow(/queryMemoryMb/)
  expect(() => read({ ...least, dataDirectory: 'relative' })).toThrow(/dataDirectory/)
  expect(() => read({ ...least, typo: 1 })).toThrow(/typo/)
  expect(() => read('{')).toThrow(/cannot be read/)
  expect(() => readQueryWorkerConfig({})).toThrow(/TRIBUTARY_CONFIG/)
})
