import { expect, test } from 'vitest'
import type { AddFile } from '../delta-log/actions.ts'
import { SnapshotBuilder } from '../delta-log/snapshot.ts'
import type { PublishedFile, TablePublication } from '../protocol/delta-publisher.ts'
import { relativePath, resolvePath } from './data-path.ts'
import { deltaSchema } from './delta-schema.ts'
import { addOf, planPublication } from './publish-plan.ts'

const PREFIX = 'projects/p/timelines/child/lake/5/100/'

const file = (objectKey: string, dead: number[] | undefined, isSettled = true): PublishedFile => ({
  objectKey,
  sizeBytes: 10,
  rowCount: 9,
  deadRows: dead && Uint32Array.from(dead),
  isSettled,
  lsn: '0/1',
})

const table = (files: PublishedFile[], columns: TablePublication['columns'] = []): TablePublication => ({
  prefix: PREFIX,
  name: 'public.t',
  tableOid: 100,
  timelineId: 'child',
  columns,
  files,
  lsn: 5,
  commitTime: null,
  retentionMs: 0,
})

const context = (masked: Record<string, number[]> = {}) => ({
  nowMs: 1,
  newTableId: () => 'id',
  maskedRows: ({ path }: AddFile) => masked[path] ?? [],
})

test('paths are relative to the table, inside its folder or out of it, and lead back to the object', () => {
  for (const [key, path] of [
    [`${PREFIX}a b.parquet`, 'a%20b.parquet'],
    ['projects/p/timelines/root/lake/5/100/x.parquet', '../../../../root/lake/5/100/x.parquet'],
    ['projects/p/timelines/child/lake/5/101/x.parquet', '../101/x.parquet'],
  ] as const) {
    expect(relativePath(PREFIX, key)).toBe(path)
    expect(resolvePath(PREFIX, path)).toBe(key)
  }
})

test('the next version names what changed and nothing else', () => {
  const first = planPublication(undefined, table([file(`${PREFIX}a`, [1]), file(`${PREFIX}b`, [])]), context())
  expect(first.setup.map((action) => Object.keys(action)[0])).toEqual(['protocol', 'metaData'])
  expect(first.adds.map(({ path }) => path)).toEqual(['a', 'b'])
  const builder = new SnapshotBuilder()
  const vector = {
    storageType: 'u' as const,
    pathOrInlineDv: 'x'.repeat(20),
    offset: 1,
    sizeInBytes: 4,
    cardinality: 1,
  }
  builder.apply([
    ...first.setup,
    ...first.adds.map((each) => ({ add: addOf(each, 1, each.path === 'a' ? vector : undefined) })),
  ])
  const snapshot = builder.build(0, 't')
  const masked = context({ a: [1] })
  const idle = planPublication(snapshot, table([file(`${PREFIX}a`, [1]), file(`${PREFIX}b`, undefined)]), masked)
  expect(idle).toEqual({ setup: [], adds: [], removes: [] })
  const next = planPublication(snapshot, table([file(`${PREFIX}a`, [1, 2]), file(`${PREFIX}c`, [])]), masked)
  expect(next.adds.map(({ path, current }) => [path, current?.path])).toEqual([
    ['a', 'a'],
    ['c', undefined],
  ])
  expect(next.removes.map(({ path }) => path)).toEqual(['b'])
  const unsettled = planPublication(
    snapshot,
    table([file(`${PREFIX}a`, [1], false), file(`${PREFIX}b`, undefined)]),
    masked,
  )
  expect(unsettled.adds.map(({ path, deadRows }) => [path, deadRows])).toEqual([['a', undefined]])
})

test('names that differ in case alone stay apart, and timestamps without a zone ask for their feature for ever', () => {
  const column = (number: number, name: string, deltaType = 'integer') => ({
    physicalName: `a${number}`,
    number,
    name,
    deltaType,
    isList: false,
  })
  const { fields } = JSON.parse(deltaSchema([column(1, 'A'), column(2, 'a'), column(4, 'a_2')])) as {
    fields: { name: string }[]
  }
  expect(new Set(fields.map(({ name }) => name.toLowerCase())).size).toBe(3)
  const { setup } = planPublication(undefined, table([], [column(1, 't', 'timestamp_ntz')]), context())
  const builder = new SnapshotBuilder()
  builder.apply(setup)
  const later = planPublication(builder.build(0, 't'), table([], [column(2, 'u')]), context())
  expect(later.setup.map((action) => Object.keys(action)[0])).toEqual(['metaData'])
})
