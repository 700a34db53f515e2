import { expect, test } from 'vitest'
import { parseComputeConfig, socketFolderOf } from './compute-config.ts'

const config = {
  computeId: 'c0ffee',
  projectId: '11'.repeat(16),
  timelineId: '22'.repeat(16),
  dataDirectory: '/var/lib/compute',
  host: '127.0.0.1',
  httpPort: 21501,
  postgresPort: 21502,
  postgresPassword: 'secret',
  pageserver: { host: '127.0.0.1', port: 21503, httpPort: 21504 },
  safekeepers: [{ id: 1, host: '127.0.0.1', port: 21505, httpPort: 21506 }],
}

test('a config error names the field', () => {
  expect(parseComputeConfig(config).mode).toBe('auto')
  expect(() => parseComputeConfig({ ...config, httpPort: 'x' })).toThrow(/httpPort/)
  expect(() => parseComputeConfig({ ...config, dataDirectory: 'relative' })).toThrow(
    /dataDirectory: must be an absolute/,
  )
  expect(() => parseComputeConfig({ ...config, projectId: 'x' })).toThrow(/project id/)
  expect(() => parseComputeConfig({ ...config, safekeepers: [] })).toThrow(/safekeepers/)
  expect(() => parseComputeConfig({ ...config, ingestLagBytesMax: 1000 })).toThrow(/ingestLagBytesMax/)
  expect(() => parseComputeConfig({ ...config, colour: 'red' })).toThrow(/colour/)
})

test('settings that durability rests on cannot be changed', () => {
  expect(() => parseComputeConfig({ ...config, settings: { synchronous_standby_names: '' } })).toThrow(
    /settings.synchronous_standby_names/,
  )
  expect(parseComputeConfig({ ...config, settings: { work_mem: '8MB' } }).settings).toEqual({ work_mem: '8MB' })
})

test('the socket path stays below the limit of Unix sockets', () => {
  const deep = { dataDirectory: `/${'x'.repeat(120)}`, computeId: 'c0ffee' }
  expect(socketFolderOf(config)).toBe('/var/lib/compute/run')
  expect(socketFolderOf(deep).length).toBeLessThan(80)
})
