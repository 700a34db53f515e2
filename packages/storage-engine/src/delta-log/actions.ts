/**
 * Actions of a Delta log (PROTOCOL.md of delta-io/delta), as far as this system writes or must understand them. What a
 * line holds besides is ignored, as the protocol asks of readers.
 */
import { CorruptionError } from '../base/errors.ts'

export interface DeletionVectorDescriptor {
  /** `u`: file in the table's folder, named by its uuid in Z85. `i`: inline, Z85. `p`: absolute path. */
  readonly storageType: 'u' | 'i' | 'p'
  readonly pathOrInlineDv: string
  /** Of the size field in the file; absent for inline ones. */
  readonly offset?: number
  /** Of the serialized bitmap alone. */
  readonly sizeInBytes: number
  readonly cardinality: number
}

export interface AddFile {
  /** As in the log: a URI, percent-encoded, relative to the table's folder or absolute. */
  readonly path: string
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly size: number
  /** Unix time in ms. */
  readonly modificationTime: number
  readonly dataChange: boolean
  /** JSON text. */
  readonly stats?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly deletionVector?: DeletionVectorDescriptor
}

export interface RemoveFile {
  readonly path: string
  /** Unix time in ms. */
  readonly deletionTimestamp?: number
  readonly dataChange: boolean
  readonly extendedFileMetadata?: boolean
  readonly partitionValues?: Readonly<Record<string, string | null>>
  readonly size?: number
  readonly deletionVector?: DeletionVectorDescriptor
}

export interface Metadata {
  readonly id: string
  readonly name?: string
  readonly description?: string
  readonly format: { readonly provider: string; readonly options: Readonly<Record<string, string>> }
  /** JSON text. */
  readonly schemaString: string
  readonly partitionColumns: readonly string[]
  readonly configuration: Readonly<Record<string, string>>
  /** Unix time in ms. */
  readonly createdTime?: number
}

export interface Protocol {
  readonly minReaderVersion: number
  readonly minWriterVersion: number
  readonly readerFeatures?: readonly string[]
  readonly writerFeatures?: readonly string[]
}

/** The last version of an application's own that is in the table. */
export interface Transaction {
  readonly appId: string
  readonly version: number
  /** Unix time in ms. */
  readonly lastUpdated?: number
}

export interface CommitInfo {
  /** Unix time in ms. */
  readonly timestamp: number
  readonly operation: string
  readonly operationParameters: Readonly<Record<string, string>>
  readonly isBlindAppend: boolean
  readonly engineInfo: string
  /** Free fields. */
  readonly tributary?: Readonly<Record<string, string>>
}

export type Action =
  | { readonly add: AddFile }
  | { readonly remove: RemoveFile }
  | { readonly metaData: Metadata }
  | { readonly protocol: Protocol }
  | { readonly txn: Transaction }
  | { readonly commitInfo: CommitInfo }

/** One line of JSON an action. */
export function encodeCommit(actions: readonly Action[]): Uint8Array {
  return new TextEncoder().encode(actions.map((action) => `${JSON.stringify(action)}\n`).join(''))
}

/** Kinds of action that are not known are left out. Throws `corruption` for what is no commit. */
export function decodeCommit(bytes: Uint8Array, object: string): Action[] {
  const lines = new TextDecoder().decode(bytes).split('\n')
  return lines.flatMap((line, i): Action[] => {
    if (line.trim() === '') return []
    let parsed: unknown
    try {
      parsed = JSON.parse(line)
    } catch (error) {
      throw new CorruptionError('delta commit is not json', { object, line: i + 1 }, { cause: error })
    }
    const action = actionOf(parsed)
    return action ? [action] : []
  })
}

/** An action from its JSON form, or from a row of a checkpoint; undefined for a kind that is not known. */
export function actionOf(value: unknown): Action | undefined {
  const root = objectOf(value)
  if (!root) throw new CorruptionError('delta action is not an object')
  const kind = ['add', 'remove', 'metaData', 'protocol', 'txn', 'commitInfo'].find((name) => objectOf(root[name]))
  if (!kind) return undefined
  const fields = objectOf(root[kind])!
  switch (kind) {
    case 'add':
      return { add: addOf(fields) }
    case 'remove':
      return { remove: removeOf(fields) }
    case 'metaData':
      return { metaData: metadataOf(fields) }
    case 'protocol':
      return { protocol: protocolOf(fields) }
    case 'txn':
      return {
        txn: {
          appId: text(fields.appId),
          version: integer(fields.version),
          ...optional('lastUpdated', fields.lastUpdated, integer),
        },
      }
    default:
      // Its fields are free: only those written here are looked at.
      return { commitInfo: fields as unknown as CommitInfo }
  }
}

/** Identifies a logical file: its path and its deletion vector. */
export function fileKey(file: {
  readonly path: string
  readonly deletionVector?: DeletionVectorDescriptor | undefined
}): string {
  const { deletionVector } = file
  return deletionVector ? `${file.path}\0${deletionVectorId(deletionVector)}` : file.path
}

export function deletionVectorId({ storageType, pathOrInlineDv, offset }: DeletionVectorDescriptor): string {
  return `${storageType}${pathOrInlineDv}${offset === undefined ? '' : `@${offset}`}`
}

type Fields = Readonly<Record<string, unknown>>

function addOf(fields: Fields): AddFile {
  return {
    path: text(fields.path),
    partitionValues: nullableTexts(fields.partitionValues),
    size: integer(fields.size),
    modificationTime: integer(fields.modificationTime),
    dataChange: fields.dataChange === true,
    ...optional('stats', fields.stats, text),
    ...optional('tags', fields.tags, texts),
    ...optional('deletionVector', fields.deletionVector, deletionVectorOf),
  }
}

function removeOf(fields: Fields): RemoveFile {
  return {
    path: text(fields.path),
    ...optional('deletionTimestamp', fields.deletionTimestamp, integer),
    dataChange: fields.dataChange === true,
    ...optional('extendedFileMetadata', fields.extendedFileMetadata, (value) => value === true),
    ...optional('partitionValues', fields.partitionValues, nullableTexts),
    ...optional('size', fields.size, integer),
    ...optional('deletionVector', fields.deletionVector, deletionVectorOf),
  }
}

function metadataOf(fields: Fields): Metadata {
  const format = objectOf(fields.format) ?? {}
  return {
    id: text(fields.id),
    ...optional('name', fields.name, text),
    ...optional('description', fields.description, text),
    format: { provider: text(format.provider ?? 'parquet'), options: texts(format.options ?? {}) },
    // Spark's own tests have logs without a schema.
    schemaString: text(fields.schemaString ?? ''),
    partitionColumns: list(fields.partitionColumns ?? []).map(text),
    configuration: texts(fields.configuration ?? {}),
    ...optional('createdTime', fields.createdTime, integer),
  }
}

function protocolOf(fields: Fields): Protocol {
  return {
    minReaderVersion: integer(fields.minReaderVersion),
    minWriterVersion: integer(fields.minWriterVersion),
    ...optional('readerFeatures', fields.readerFeatures, (value) => list(value).map(text)),
    ...optional('writerFeatures', fields.writerFeatures, (value) => list(value).map(text)),
  }
}

function deletionVectorOf(value: unknown): DeletionVectorDescriptor {
  const fields = objectOf(value) ?? {}
  const storageType = text(fields.storageType)
  if (storageType !== 'u' && storageType !== 'i' && storageType !== 'p') {
    throw new CorruptionError('deletion vector of unknown storage', { storageType })
  }
  return {
    storageType,
    pathOrInlineDv: text(fields.pathOrInlineDv),
    ...optional('offset', fields.offset, integer),
    sizeInBytes: integer(fields.sizeInBytes),
    cardinality: integer(fields.cardinality),
  }
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

function optional<Name extends string, Value>(
  name: Name,
  value: unknown,
  read: (value: unknown) => Value,
): { [Key in Name]?: Value } {
  return value === undefined || value === null ? {} : ({ [name]: read(value) } as { [Key in Name]?: Value })
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new CorruptionError('delta action lacks a text', { type: typeof value })
  return value
}

function integer(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw new CorruptionError('delta action lacks a number', { type: typeof value })
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new CorruptionError('delta action lacks a list', { type: typeof value })
  return value
}

function texts(value: unknown): Record<string, string> {
  const entries = Object.entries(objectOf(value) ?? {}).filter(([, item]) => item !== null)
  return Object.fromEntries(entries.map(([name, item]) => [name, text(item)]))
}

function nullableTexts(value: unknown): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(objectOf(value) ?? {}).map(([name, item]) => [name, item === null ? null : text(item)]),
  )
}
