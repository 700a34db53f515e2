import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BlockSpan } from '../protocol/snapshot-plan.ts'
import { hullOf, leaveOutBlocks, meetsSpans } from './block-filter.ts'
import { Engine } from './engine.ts'
import { maskPlan } from './mask-plan.ts'
import { quoteText } from './sql/tokens.ts'

let folder: string
let engine: Engine
let serial = 0
const newName = (): string => `tributary_${++serial}`

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-block-filter-'))
  engine = await Engine.open(2)
  // Blocks 100 to 399 of 10 rows each, in two files; and block numbers that are negative as they lie.
  for (const [name, first] of [
    ['a', 100],
    ['b', 250],
    ['high', -20],
  ] as const) {
    const count = name === 'high' ? 10 : 150
    await engine.run(
      `copy (select (${first} + x // 10)::integer as _pg_blk, x::integer as n from range(${count * 10}) t(x)) to ${quoteText(`${folder}/${name}.parquet`)}`,
    )
  }
})

afterAll(() => {
  engine?.close()
  fs.rmSync(folder, { recursive: true, force: true })
})

async function blocksLeft(files: string, blocks: readonly BlockSpan[], range: BlockSpan, blockCount: number) {
  const { joins, conditions } = await leaveOutBlocks(engine, newName, blocks, range, blockCount)
  const from = `from read_parquet(${quoteText(`${folder}/${files}.parquet`)}) p ${joins.join(' ')}`
  const sql = `${from} ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''}`
  const rows = await engine.rows(`select p._pg_blk, count(*)::integer ${sql} group by 1 order by 1`)
  const plan = (await engine.rows(`explain select sum(n) ${sql} ${conditions.length > 0 ? 'and' : 'where'} n < 1234`))
    .map(([, text]) => String(text))
    .join('')
  return { rows, plan }
}

test.each([
  [
    'some',
    [
      [100, 1],
      [130, 30],
      [299, 2],
      [399, 1],
    ],
  ],
  ['all', [[100, 300]]],
  ['those of one file', [[260, 5]]],
] as const)('rows of %s blocks are left out by a filter within the scan, and of no other block', async (_, blocks) => {
  const { rows, plan } = await blocksLeft('[ab]', blocks, [100, 300], 400)
  const isLeftOut = (block: number) => blocks.some(([first, count]) => block >= first && block < first + count)
  const kept = Array.from({ length: 300 }, (__, i) => 100 + i).filter((block) => !isLeftOut(block))
  expect(rows).toEqual(kept.map((block) => [block, 10]))
  expect(plan).not.toMatch(/JOIN|FILTER\b/)
  const masked = maskPlan(plan)
  expect(masked).not.toMatch(/[01]{20}|get_bit|_pg_blk/)
  expect(masked).toContain('n<1234')
})

test('in a heap too large for a map, and one of more blocks than are positive in 32 bits, a join leaves them out', async () => {
  const { rows, plan } = await blocksLeft('[ab]', [[100, 299]], [100, 1 << 25], 1 << 25)
  expect(rows).toEqual([[399, 10]])
  expect(plan).toContain('ANTI')
  const high = await blocksLeft('high', [[2 ** 32 - 20, 9]], [2 ** 32 - 20, 10], 2 ** 32 - 10)
  expect(high.rows).toEqual([[-11, 10]])
})

test('hulls and meetings of spans', () => {
  expect(
    hullOf([
      [7, 3],
      [2, 1],
      [4, 10],
    ]),
  ).toEqual([2, 12])
  const spans: BlockSpan[] = [
    [2, 2],
    [10, 5],
  ]
  const met = [
    [0, 2],
    [0, 3],
    [3, 1],
    [4, 6],
    [4, 7],
    [14, 1],
    [15, 9],
  ].map((span) => meetsSpans(spans, span as unknown as BlockSpan))
  expect(met).toEqual([false, true, true, false, true, true, false])
})
