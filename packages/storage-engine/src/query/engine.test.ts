import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { expect, test } from 'vitest'
import { isStorageError } from '../base/errors.ts'
import { Engine, EngineMaker } from './engine.ts'

test('statements and tables asked for at once do not spoil each other', async () => {
  const engine = await Engine.open(2)
  try {
    const sizes = Array.from({ length: 40 }, (_, i) => i * 211)
    const counts = await Promise.all(
      sizes.map(async (size, i) => {
        const values = Array.from({ length: size }, (_, value) => value)
        await engine.createTable(`numbers_${i}`, { n: values, twice: values.map((value) => value * 2) })
        await engine.run(`create temp table copy_${i} as select n, twice from numbers_${i} where twice = 2 * n`)
        return (await engine.rows(`select count(*)::integer, coalesce(max(n), -1)::integer from copy_${i}`))[0]
      }),
    )
    expect(counts).toEqual(sizes.map((size) => [size, size - 1]))
  } finally {
    engine.close()
  }
})

test('numbers up to the largest safe integer arrive as they are', async () => {
  const engine = await Engine.open(1)
  try {
    const values = [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]
    await engine.createTable('numbers', { n: values })
    const rows = await engine.rows('select n::varchar from numbers')
    expect(rows.map(([text]) => Number(text))).toEqual(values)
  } finally {
    engine.close()
  }
})

test('a statement after the engine was closed is aborted', async () => {
  const engine = await Engine.open(1)
  await engine.run('create table t as select * from range(10)')
  engine.close()
  await expect(engine.run('drop table t')).rejects.toSatisfy((error) => isStorageError(error, 'aborted'))
})

test('an engine kept ready answers although files it was to know are gone', async () => {
  const maker = new EngineMaker(1)
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-engine-'))
  try {
    const file = path.join(folder, 'a.parquet')
    const options = { directory: folder, memoryMb: 64, spillMb: 64 }
    const first = await maker.take(options)
    await first.run(`copy (select 7 as n) to '${file}' (format parquet)`)
    first.close()
    for (const files of [[file], [file, `${file}.gone`], []]) {
      maker.prepare(files)
      const engine = await maker.take(options)
      expect(await engine.rows(`select n from read_parquet('${file}')`)).toEqual([[7]])
      engine.close()
    }
  } finally {
    await maker.close()
    fs.rmSync(folder, { recursive: true, force: true })
  }
})
