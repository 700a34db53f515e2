/** Rows of a version of a Delta table as readers that nobody here wrote have them: DuckDB and hyparquet, over our own reading of the log. */
import { DuckDBInstance } from '@duckdb/node-api'
import { parquetReadObjects } from 'hyparquet'
import { decompress } from '../src/base/zstd.ts'
import type { AddFile } from '../src/delta-log/actions.ts'
import { decodeDeletionVector, deletionVectorPlace, readDeletionVectorFile } from '../src/delta-log/deletion-vector.ts'
import type { DeltaSnapshot } from '../src/delta-log/snapshot.ts'
import { resolvePath } from '../src/delta-writer/data-path.ts'
import type { ObjectStore } from '../src/object-store/object-store.ts'

export interface DeltaVersion {
  readonly store: ObjectStore
  /** Of the table; ends in '/'. */
  readonly prefix: string
  readonly snapshot: DeltaSnapshot
}

interface Field {
  readonly name: string
  readonly metadata: Readonly<Record<string, unknown>>
}

/** `fileOf`: a local file with the content of an object. `select`: an SQL select list over the columns' display names. */
export async function duckdbRows(
  version: DeltaVersion,
  fileOf: (key: string) => Promise<string>,
  select = '*',
): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const columns = [...physicalNames(version.snapshot)].map(([name, physical]) => `"${physical}" as "${name}"`)
    await connection.run('create table dead (file varchar, position bigint)')
    const files: string[] = []
    for (const file of version.snapshot.files.values()) {
      const name = await fileOf(resolvePath(version.prefix, file.path))
      files.push(name)
      const positions = await maskedPositions(version, file)
      for (let at = 0; at < positions.length; at += 5000) {
        const values = positions.slice(at, at + 5000).map((position) => `('${name}', ${position})`)
        await connection.run(`insert into dead values ${values.join(',')}`)
      }
    }
    if (files.length === 0) return []
    const list = files.map((name) => `'${name}'`).join(',')
    const sql = `with t as (select ${columns.join(', ')} from (select *, filename, file_row_number from read_parquet([${list}], filename = true, file_row_number = true)) f
      anti join dead d on d.file = f.filename and d.position = f.file_row_number) select ${select} from t`
    return (await connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[]
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** The named columns of every row, in no order. */
export async function hyparquetRows(
  version: DeltaVersion,
  names: readonly string[],
): Promise<Record<string, unknown>[]> {
  const physical = physicalNames(version.snapshot)
  const columns = names.map((name) => physical.get(name)!)
  const compressors = { ZSTD: (input: Uint8Array, length: number) => decompress(input, length) }
  const found: Record<string, unknown>[] = []
  for (const file of version.snapshot.files.values()) {
    const bytes = await version.store.get(resolvePath(version.prefix, file.path))
    const masked = new Set(await maskedPositions(version, file))
    const rows = await parquetReadObjects({ file: Uint8Array.from(bytes).buffer, columns, compressors })
    rows.forEach((row, position) => {
      if (masked.has(position)) return
      found.push(Object.fromEntries(names.map((name, i) => [name, row[columns[i]!]])))
    })
  }
  return found
}

/** By display name, in the order of the schema. */
function physicalNames(snapshot: DeltaSnapshot): Map<string, string> {
  const { fields } = JSON.parse(snapshot.metadata.schemaString) as { fields: Field[] }
  return new Map(fields.map(({ name, metadata }) => [name, String(metadata['delta.columnMapping.physicalName'])]))
}

async function maskedPositions({ store, prefix }: DeltaVersion, file: AddFile): Promise<number[]> {
  if (!file.deletionVector) return []
  const place = deletionVectorPlace(file.deletionVector)
  if (place.kind !== 'file') throw new Error('vector is not in a file')
  const bytes = await store.get(`${prefix}${place.path}`)
  const positions = decodeDeletionVector(readDeletionVectorFile(bytes, file.deletionVector.offset!, place.path))
  if (positions.length !== file.deletionVector.cardinality) throw new Error('vector of another cardinality')
  return positions
}
