import { expect, test } from 'vitest'
import { fixedSettingNames } from '../compute/postgres-settings.ts'
import { checkComputeSettings, computeSettingRules } from './compute-settings.ts'

test('amounts are taken with the units of Postgres, and refused outside their bounds by name', () => {
  checkComputeSettings({ shared_buffers: '128MB', work_mem: '4096', statement_timeout: '1.5 h', jit: 'off' })
  checkComputeSettings({ log_min_duration_statement: '-1', random_page_cost: '1.1', search_path: '"$user", public' })
  expect(() => checkComputeSettings({ shared_buffers: '2TB' })).toThrow('settings.shared_buffers')
  expect(() => checkComputeSettings({ shared_buffers: '10 kb' })).toThrow('settings.shared_buffers')
  expect(() => checkComputeSettings({ max_connections: '5' })).toThrow('from 10 to 10000')
  expect(() => checkComputeSettings({ max_connections: '1e3' })).toThrow('settings.max_connections')
  expect(() => checkComputeSettings({ jit: 'maybe' })).toThrow('on or off')
  expect(() => checkComputeSettings({ search_path: "a'\nfsync=on" })).toThrow('line of text')
})

test('nothing that durability rests on, and nothing that names a file or a program, can be set', () => {
  const dangerous = ['archive_command', 'shared_preload_libraries', 'ssl_key_file', 'data_directory', 'hba_file']
  for (const name of [...fixedSettingNames, ...dangerous, '__proto__', 'constructor']) {
    expect(Object.hasOwn(computeSettingRules, name), name).toBe(false)
    expect(() => checkComputeSettings(JSON.parse(`{${JSON.stringify(name)}: "on"}`))).toThrow('cannot be set')
  }
})
