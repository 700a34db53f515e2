import { Lsn } from '../../postgres/lsn.ts'
import { formatKey } from '../key.ts'
import { compareKeys, parseKeyHex } from './packed-key.ts'

export type LayerKind = 'delta' | 'page-image' | 'columnar'

/**
 * What a layer's name says. The generation and the serial make a name unique for all time, so an object is never written
 * twice with different bytes and a late deletion can never hit a newer layer.
 */
export interface LayerName {
  readonly kind: LayerKind
  /** 0: as flushed, over the whole key space. 1: merged and cut by key. Images are always 1. */
  readonly level: 0 | 1
  readonly keyStart: Uint8Array
  /** Exclusive. */
  readonly keyEnd: Uint8Array
  /** First LSN that the layer may hold; for an image its LSN. */
  readonly startLsn: Lsn
  /** Exclusive; for an image its LSN + 1. */
  readonly endLsn: Lsn
  readonly generation: number
  readonly serial: number
  /** Of columnar layers, and of those alone. */
  readonly table?: LayerTable
}

/** Which table a columnar layer holds rows of. */
export interface LayerTable {
  /** pg_class.oid: the folder of the file. */
  readonly oid: number
  /** Checksum of the columns that the file shows (upkeep/visible-columns.ts): equal for files that read alike. */
  readonly columnsCrc: number
}

/** True for layers that speak for every key of their range, so that nothing older has to be looked at. */
export function isImage(layer: { readonly kind: LayerKind }): boolean {
  return layer.kind !== 'delta'
}

const KIND_LETTERS = { delta: 'd', 'page-image': 'i', columnar: 'c' } as const

/**
 * `<key start>-<key end>__<start lsn>-<end lsn>-<d0|d1|i1|c1>-<generation>-<serial>`, all hex; a columnar layer goes on
 * with `-<table oid>-<columns crc>.parquet`.
 */
export function formatLayerName(name: LayerName): string {
  const kind = `${KIND_LETTERS[name.kind]}${name.level}`
  const range = `${formatKey(name.keyStart)}-${formatKey(name.keyEnd)}`
  const table = name.table ? `-${hex(name.table.oid, 8)}-${hex(name.table.columnsCrc, 8)}.parquet` : ''
  return `${range}__${hex(name.startLsn, 16)}-${hex(name.endLsn, 16)}-${kind}-${hex(name.generation, 8)}-${hex(name.serial, 8)}${table}`
}

const pattern =
  /^([0-9a-f]{36})-([0-9a-f]{36})__([0-9a-f]{16})-([0-9a-f]{16})-(d0|d1|i1|c1)-([0-9a-f]{8})-([0-9a-f]{8})(?:-([0-9a-f]{8})-([0-9a-f]{8})\.parquet)?$/

/** Undefined for anything that formatLayerName would not have written. */
export function parseLayerName(text: string): LayerName | undefined {
  const match = pattern.exec(text)
  if (!match) return undefined
  const keyStart = parseKeyHex(match[1]!)!
  const keyEnd = parseKeyHex(match[2]!)!
  const startLsn = Number.parseInt(match[3]!, 16)
  const endLsn = Number.parseInt(match[4]!, 16)
  if (compareKeys(keyStart, keyEnd) >= 0 || startLsn >= endLsn || !Number.isSafeInteger(endLsn)) return undefined
  const letter = match[5]![0]
  if ((letter === 'c') !== (match[8] !== undefined)) return undefined
  return {
    kind: letter === 'd' ? 'delta' : letter === 'i' ? 'page-image' : 'columnar',
    level: match[5]!.endsWith('0') ? 0 : 1,
    keyStart,
    keyEnd,
    startLsn: Lsn.of(startLsn),
    endLsn: Lsn.of(endLsn),
    generation: Number.parseInt(match[6]!, 16),
    serial: Number.parseInt(match[7]!, 16),
    ...(match[8] === undefined
      ? {}
      : { table: { oid: Number.parseInt(match[8], 16), columnsCrc: Number.parseInt(match[9]!, 16) } }),
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
