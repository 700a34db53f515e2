/**
 * Tables that Spark wrote (golden tables of delta-io/delta): an oracle for log replay, checkpoints and deletion vectors that
 * nobody here wrote. A selection lies in fixtures/delta-golden; all of them are read where TRIBUTARY_DELTA_GOLDEN names their
 * folder, or shared/data/delta-golden lies beside the checkout or two levels above it.
 */
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { describe, expect, test } from 'vitest'
import { isStorageError } from '../base/errors.ts'
import { openLocalObjectStore } from '../object-store/local-object-store.ts'
import { type AddFile, decodeCommit } from './actions.ts'
import {
  decodeDeletionVector,
  deletionVectorPlace,
  encodeDeletionVector,
  readDeletionVectorFile,
} from './deletion-vector.ts'
import { DeltaTable } from './delta-table.ts'
import { decodeFilePath, isAbsolutePath } from './file-path.ts'
import { type DeltaSnapshot, SnapshotBuilder } from './snapshot.ts'

const here = path.dirname(fileURLToPath(import.meta.url))
const checkout = path.join(here, '../../../..')
const fixtures = path.join(here, '../../fixtures/delta-golden')
const all = [
  process.env.TRIBUTARY_DELTA_GOLDEN,
  path.join(checkout, '../shared/data/delta-golden'),
  path.join(checkout, '../../shared/data/delta-golden'),
].find((candidate) => candidate !== undefined && fs.existsSync(candidate))
const folder = all ?? fixtures
if (all === undefined) console.log('golden Delta tables: the selection in fixtures/delta-golden alone')

const tables = tableFolders(folder)

function tableFolders(root: string): string[] {
  return fs.readdirSync(root, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory()) return []
    const inner = path.join(root, entry.name)
    if (entry.name === '_delta_log') return []
    return [
      ...(fs.existsSync(path.join(inner, '_delta_log')) ? [path.relative(folder, inner)] : []),
      ...tableFolders(inner),
    ]
  })
}

async function open(table: string): Promise<DeltaTable> {
  const store = await openLocalObjectStore({ folder: folder })
  return new DeltaTable(store, `${table}/`)
}

function commitsOf(table: string): string[] {
  return fs.readdirSync(path.join(folder, table, '_delta_log')).filter((name) => /^\d{20}\.json$/.test(name))
}

function positionsOf(table: string, file: AddFile): number[] {
  const serialized = file.deletionVector && serializedVector(table, file)
  return serialized ? decodeDeletionVector(serialized) : []
}

/** Undefined: the file was not copied along with its table. */
function serializedVector(table: string, file: AddFile): Uint8Array | undefined {
  const place = deletionVectorPlace(file.deletionVector!)
  if (place.kind === 'inline') return place.serialized
  if (place.kind === 'absolute') return undefined
  const name = path.join(folder, table, place.path)
  if (!fs.existsSync(name)) return undefined
  const serialized = readDeletionVectorFile(
    new Uint8Array(fs.readFileSync(name)),
    file.deletionVector!.offset ?? 0,
    name,
  )
  return serialized
}

/** Without a protocol or metadata, with a commit missing, or with features that are not read here. */
const REFUSED: Readonly<Record<string, string>> = {
  'deltalog-invalid-protocol-version': 'unsupported',
  'deltalog-state-reconstruction-without-metadata': 'corruption',
  'deltalog-state-reconstruction-without-protocol': 'corruption',
  'deltalog-state-reconstruction-from-checkpoint-missing-metadata': 'corruption',
  'deltalog-state-reconstruction-from-checkpoint-missing-protocol': 'corruption',
  'data-reader-absolute-paths-escaped-chars': 'corruption',
  'v2-checkpoint-json': 'unsupported',
  'v2-checkpoint-parquet': 'unsupported',
  'versions-not-contiguous': 'corruption',
}

async function readOrRefuse(table: string): Promise<DeltaSnapshot | string> {
  try {
    return await (await open(table)).snapshot()
  } catch (error) {
    if (isStorageError(error)) return error.code
    throw error
  }
}

describe('tables that Spark wrote', () => {
  test('every table is read, but for those that must be refused with a clear error', async () => {
    const refused: Record<string, string> = {}
    for (const table of tables) {
      const read = await readOrRefuse(table)
      if (typeof read === 'string') refused[table] = read
    }
    expect(refused).toEqual(Object.fromEntries(Object.entries(REFUSED).filter(([table]) => tables.includes(table))))
    expect(tables.length).toBeGreaterThan(all ? 60 : 12)
  })

  test('a checkpoint that Spark wrote says the same as replaying all commits', async () => {
    let compared = 0
    for (const table of tables) {
      const read = await readOrRefuse(table)
      if (typeof read === 'string') continue
      const names = commitsOf(table)
      if (names.length !== read.version + 1) continue
      const builder = new SnapshotBuilder()
      for (const name of names) {
        builder.apply(decodeCommit(new Uint8Array(fs.readFileSync(path.join(folder, table, '_delta_log', name))), name))
      }
      const replayed = builder.build(read.version, table)
      expect([...read.files.keys()].sort(), table).toEqual([...replayed.files.keys()].sort())
      expect(read.metadata.schemaString, table).toBe(replayed.metadata.schemaString)
      expect(read.protocol, table).toEqual(replayed.protocol)
      compared++
    }
    expect(compared).toBeGreaterThan(all ? 40 : 5)
  })

  test('every deletion vector has its checksum, and is serialized again byte by byte', () => {
    let vectors = 0
    for (const name of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!/deletion_vector_[^/]*\.bin$/.test(name)) continue
      const bytes = new Uint8Array(fs.readFileSync(path.join(folder, name)))
      for (let offset = 1; offset < bytes.length; vectors++) {
        const serialized = readDeletionVectorFile(bytes, offset, name)
        expect(Buffer.compare(encodeDeletionVector(decodeDeletionVector(serialized)), serialized), name).toBe(0)
        offset += serialized.length + 8
      }
    }
    expect(vectors).toBeGreaterThan(5)
  })

  test('a deletion vector has as many positions as the log says', async () => {
    let compared = 0
    for (const table of tables) {
      const read = await readOrRefuse(table)
      if (typeof read === 'string') continue
      for (const file of read.files.values()) {
        const positions = positionsOf(table, file)
        if (positions.length === 0) continue
        expect(positions.length, `${table} ${file.path}`).toBe(file.deletionVector!.cardinality)
        compared++
      }
    }
    expect(compared).toBeGreaterThan(all ? 3 : 2)
  })

  test('files hold the rows that their statistics say', async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    let checked = 0
    for (const table of tables) {
      const read = await readOrRefuse(table)
      if (typeof read === 'string') continue
      for (const file of read.files.values()) {
        const name = path.join(folder, table, decodeFilePath(file.path))
        if (isAbsolutePath(file.path) || file.stats === undefined || !fs.existsSync(name)) continue
        const { numRecords } = JSON.parse(file.stats) as { numRecords?: number }
        if (numRecords === undefined) continue
        const reader = await connection.runAndReadAll(
          `select count(*)::int as n from read_parquet('${name.replaceAll("'", "''")}')`,
        )
        expect(reader.getRowObjects()[0]!.n, `${table} ${file.path}`).toBe(numRecords)
        expect(positionsOf(table, file).every((position) => position < numRecords)).toBe(true)
        checked++
      }
    }
    expect(checked).toBeGreaterThan(all ? 50 : 20)
    connection.closeSync()
  })
})
