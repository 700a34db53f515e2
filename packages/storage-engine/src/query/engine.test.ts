import { expect, test } from 'vitest'
import { isStorageError } from '../base/errors.ts'
import { Engine } from './engine.ts'

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
