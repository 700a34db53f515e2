import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StorageError, isStorageError } from '../base/errors.ts'
import { ParquetFile, type ByteSource, memorySource } from './file-reader.ts'
import { ParquetWriter } from './file-writer.ts'
import { type RecordObject, assembleRecords, shredRecords } from './records.ts'
import { PhysicalType, Repetition, type SchemaNode, listNode, textMapNode } from './schema.ts'
import type { FixedValues } from './values.ts'

const text = { physicalType: PhysicalType.byteArray, logicalType: { kind: 'string' } } as const

const schema: SchemaNode = {
  name: 'schema',
  repetition: Repetition.required,
  children: [
    { name: 'id', repetition: Repetition.required, physicalType: PhysicalType.int32, fieldId: 1 },
    { name: 'big', repetition: Repetition.optional, physicalType: PhysicalType.int64 },
    { name: 'flag', repetition: Repetition.optional, physicalType: PhysicalType.boolean },
    { name: 'ratio', repetition: Repetition.optional, physicalType: PhysicalType.double },
    { name: 'name', repetition: Repetition.optional, ...text },
    { name: 'fixed', repetition: Repetition.optional, physicalType: PhysicalType.fixedLenByteArray, typeLength: 5 },
    listNode('tags', 7, { name: 'element', repetition: Repetition.optional, ...text }),
    textMapNode('properties'),
    {
      name: 'nested',
      repetition: Repetition.optional,
      children: [
        { name: 'x', repetition: Repetition.required, physicalType: PhysicalType.int32 },
        listNode('ys', undefined, {
          name: 'element',
          repetition: Repetition.required,
          physicalType: PhysicalType.int64,
        }),
      ],
    },
  ],
}

const nullable = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null })
const record: fc.Arbitrary<RecordObject> = fc.record({
  id: fc.integer(),
  big: nullable(fc.maxSafeInteger()),
  flag: nullable(fc.boolean()),
  ratio: nullable(fc.double({ noNaN: true })),
  name: nullable(fc.oneof(fc.constantFrom('a', 'b', ''), fc.string({ unit: 'grapheme' }))),
  fixed: nullable(fc.uint8Array({ minLength: 5, maxLength: 5 })),
  tags: nullable(fc.array(nullable(fc.string()), { maxLength: 4 })),
  properties: nullable(
    fc.dictionary(fc.string({ minLength: 1 }), nullable(fc.string()), { maxKeys: 3, noNullPrototype: true }),
  ),
  nested: nullable(fc.record({ x: fc.integer(), ys: nullable(fc.array(fc.maxSafeInteger(), { maxLength: 3 })) })),
})

function writeRecords(groups: readonly RecordObject[][], pageRows: number): Uint8Array {
  const parts: Uint8Array[] = []
  const writer = new ParquetWriter(schema, (bytes) => parts.push(bytes))
  for (const rows of groups) {
    const pages = [0]
    for (let row = pageRows; row < rows.length; row += pageRows) pages.push(row)
    writer.writeRowGroup(rows.length, shredRecords(schema, rows), pages)
  }
  writer.writeBlob(new TextEncoder().encode('not for parquet readers'))
  writer.finish({ createdBy: 'test', keyValues: new Map([['k', 'v']]) })
  return Uint8Array.from(Buffer.concat(parts))
}

async function readRecords(source: ByteSource, sealed = true): Promise<RecordObject[]> {
  const file = await ParquetFile.open(source, { sealed })
  const rows: RecordObject[] = []
  for (let group = 0; group < file.metadata.rowGroups.length; group++) {
    const { columns, endRow } = await file.readRowGroup(group)
    rows.push(...assembleRecords(file.metadata.schema, columns, endRow))
  }
  return rows
}

test('records of every shape come back as they were, whatever the pages and row groups', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(record, { minLength: 1, maxLength: 40 }), { maxLength: 3 }),
      fc.integer({ min: 1, max: 50 }),
      async (groups, pageRows) => {
        const bytes = writeRecords(groups, pageRows)
        expect(await readRecords(memorySource(bytes))).toEqual(groups.flat())
      },
    ),
    { numRuns: 150 },
  )
})

test('one data page reads alone, with rows as the row group has them', async () => {
  const rows = Array.from({ length: 1000 }, (_, id) => ({
    id,
    name: `n${id % 7}`,
    tags: id % 3 ? [`t${id}`, null] : null,
  })) as RecordObject[]
  const file = await ParquetFile.open(memorySource(writeRecords([rows], 100)), { sealed: true })
  expect(await file.pageFirstRows(0)).toEqual(Array.from({ length: 10 }, (_, i) => i * 100))
  const range = await file.readPages(0, 3, 5)
  expect([range.firstRow, range.endRow]).toEqual([300, 500])
  const read = assembleRecords(file.metadata.schema, range.columns, range.endRow - range.firstRow)
  expect(read.map((row) => [row.id, row.name, row.tags])).toEqual(
    rows.slice(300, 500).map((row) => [row.id, row.name, row.tags]),
  )
})

test('any rows read alone, from the start of their first data page', async () => {
  const rows = Array.from({ length: 1000 }, (_, id) => ({
    id,
    name: id % 11 === 0 ? null : `n${id % 7}`,
    ratio: id % 5 === 0 ? null : id / 8,
    flag: id % 3 === 0,
    tags: id % 3 ? [`t${id}`, null] : null,
  })) as RecordObject[]
  const file = await ParquetFile.open(memorySource(writeRecords([rows], 100)), { sealed: true })
  const columns = ['id', 'name', 'ratio', 'flag'].map((name) => file.leaf(name).index)
  for (const [firstRow, endRow] of [
    [0, 1],
    [99, 101],
    [250, 399],
    [300, 400],
    [301, 302],
    [0, 1000],
    [950, 1000],
  ] as const) {
    const range = await file.readRows(0, firstRow, endRow, columns)
    expect([range.firstRow, range.endRow]).toEqual([firstRow - (firstRow % 100), endRow])
    const [ids, names] = range.columns
    expect((ids!.values as FixedValues).count).toBe(endRow - range.firstRow)
    for (let row = range.firstRow; row < endRow; row++) {
      expect((ids!.values as FixedValues).int32(row - range.firstRow)).toBe(row)
      expect(names!.definitionLevels!.levels[row - range.firstRow]).toBe(row % 11 === 0 ? 0 : 1)
    }
    // With a column of lists, whole pages.
    const all = await file.readRows(0, firstRow, endRow)
    const read = assembleRecords(file.metadata.schema, all.columns, endRow - all.firstRow)
    expect(read.map(({ id, name, ratio, flag, tags }) => ({ id, name, ratio, flag, tags }))).toEqual(
      rows.slice(all.firstRow, endRow),
    )
  }
  await expect(file.readRows(0, 5, 5)).rejects.toMatchObject({ code: 'corruption' })
  await expect(file.readRows(0, 5, 1001)).rejects.toMatchObject({ code: 'corruption' })
})

test('reading some pages fetches their bytes and not the file', async () => {
  const rows = Array.from({ length: 20_000 }, (_, id) => ({
    id,
    name: `name ${(id * 7919) % 20_000}`,
  })) as RecordObject[]
  const bytes = writeRecords([rows], 1000)
  let fetchedBytes = 0
  let requests = 0
  const source = memorySource(bytes)
  const file = await ParquetFile.open(source, { sealed: true })
  const counting = {
    ...source,
    read: (start: number, end: number) => {
      fetchedBytes += end - start
      requests++
      return source.read(start, end)
    },
  }
  const counted = await ParquetFile.open(counting, { sealed: true })
  fetchedBytes = 0
  requests = 0
  await counted.readPages(0, 5, 6, [file.leaf('name').index])
  expect(requests).toBe(2)
  expect(fetchedBytes).toBeLessThan(bytes.length / 8)
  const columns = [file.leaf('id').index, file.leaf('name').index]
  const countOf = async (read: (file: ParquetFile) => Promise<unknown>) => {
    const other = await ParquetFile.open(counting, { sealed: true })
    requests = 0
    await read(other)
    return requests
  }
  expect(await countOf((other) => other.readRows(0, 5000, 6000, columns))).toBe(
    await countOf((other) => other.readPages(0, 5, 6, columns)),
  )
})

test('statistics and the column index bound the values of each page', async () => {
  const rows = Array.from({ length: 300 }, (_, id) => ({
    id: id - 150,
    ratio: id < 100 ? null : id / 2,
  })) as RecordObject[]
  const file = await ParquetFile.open(memorySource(writeRecords([rows], 100)), { sealed: true })
  const statistics = file.metadata.rowGroups[0]!.columns[0]!.statistics!
  expect(new DataView(statistics.min!.slice().buffer).getInt32(0, true)).toBe(-150)
  expect(new DataView(statistics.max!.slice().buffer).getInt32(0, true)).toBe(149)
  const index = await file.readColumnIndex(0, file.leaf('ratio').index)
  expect(index?.nullPages).toEqual([true, false, false])
  expect(index?.nullCounts).toEqual([100, 0, 0])
  expect(new DataView(index!.mins[1]!.slice().buffer).getFloat64(0, true)).toBe(50)
})

test('a flipped bit anywhere in a sealed file gives the same records or corruption, never other records', async () => {
  const rows = Array.from({ length: 120 }, (_, id) => ({
    id,
    big: id * 1e9,
    name: `n${id % 5}`,
    tags: [`t${id}`],
  })) as RecordObject[]
  const good = writeRecords([rows.slice(0, 80), rows.slice(80)], 40)
  const expected = await readRecords(memorySource(good))
  let refused = 0
  for (let offset = 0; offset < good.length; offset++) {
    const bytes = good.slice()
    bytes[offset]! ^= 1 << (offset % 8)
    try {
      expect(await readRecords(memorySource(bytes))).toEqual(expected)
    } catch (error) {
      if (!isStorageError(error, 'corruption')) throw error
      refused++
    }
  }
  expect(refused).toBeGreaterThan(good.length * 0.9)
}, 60_000)

test('flipped bits and cuts in a file without checksums end in an error or in values, never in a hang or a crash', async () => {
  const rows = Array.from({ length: 60 }, (_, id) => ({ id, name: `n${id}`, tags: [null, `t${id}`] })) as RecordObject[]
  const good = writeRecords([rows], 20)
  for (let offset = 0; offset < good.length; offset++) {
    const bytes = offset % 3 === 0 ? good.slice(0, offset) : good.slice()
    if (offset % 3 !== 0) bytes[offset]! ^= 1 << (offset % 8)
    try {
      await readRecords(memorySource(bytes), false)
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
    }
  }
}, 60_000)
