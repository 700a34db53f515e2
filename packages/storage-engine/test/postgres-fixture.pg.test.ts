import fs from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PostgresFixture, startPostgres } from './postgres-fixture.ts'

let postgres: PostgresFixture

beforeAll(async () => {
  postgres = await startPostgres({ settings: { wal_level: 'logical' } })
}, 60_000)

afterAll(async () => {
  await postgres?.cleanup()
})

test('a stock Postgres 18 without data checksums runs with the settings it was given', async () => {
  expect(await postgres.query('show server_version_num')).toEqual([{ server_version_num: '180004' }])
  expect(await postgres.query('show data_checksums')).toEqual([{ data_checksums: 'off' }])
  expect(await postgres.query('show wal_level')).toEqual([{ wal_level: 'logical' }])
})

test('committed rows are there after an immediate stop and a start with other settings', async () => {
  await postgres.query('create table kept as select 7 as n')
  await postgres.stop('immediate')
  await postgres.start({ wal_level: 'replica' })
  expect(await postgres.query('select n from kept')).toEqual([{ n: 7 }])
  expect(await postgres.query('show wal_level')).toEqual([{ wal_level: 'replica' }])
  expect(postgres.logText()).toContain('database system was not properly shut down')
})

test('cleanup leaves no process and no directory', async () => {
  const pid = postgres.pid!
  await postgres.cleanup()
  expect(() => process.kill(pid, 0)).toThrow()
  expect(fs.existsSync(postgres.rootDir)).toBe(false)
})
