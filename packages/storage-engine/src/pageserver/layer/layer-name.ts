import { Lsn } from '../../postgres/lsn.ts'
import { formatKey } from '../key.ts'
import { compareKeys, parseKeyHex } from './packed-key.ts'

export type LayerKind = 'delta' | 'page-image'

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
}

/** `<key start>-<key end>__<start lsn>-<end lsn>-<d0|d1|i1>-<generation>-<serial>`, all hex. */
export function formatLayerName(name: LayerName): string {
  const kind = `${name.kind === 'delta' ? 'd' : 'i'}${name.level}`
  const range = `${formatKey(name.keyStart)}-${formatKey(name.keyEnd)}`
  return `${range}__${hex(name.startLsn, 16)}-${hex(name.endLsn, 16)}-${kind}-${hex(name.generation, 8)}-${hex(name.serial, 8)}`
}

const pattern = /^([0-9a-f]{36})-([0-9a-f]{36})__([0-9a-f]{16})-([0-9a-f]{16})-(d0|d1|i1)-([0-9a-f]{8})-([0-9a-f]{8})$/

/** Undefined for anything that formatLayerName would not have written. */
export function parseLayerName(text: string): LayerName | undefined {
  const match = pattern.exec(text)
  if (!match) return undefined
  const keyStart = parseKeyHex(match[1]!)!
  const keyEnd = parseKeyHex(match[2]!)!
  const startLsn = Number.parseInt(match[3]!, 16)
  const endLsn = Number.parseInt(match[4]!, 16)
  if (compareKeys(keyStart, keyEnd) >= 0 || startLsn >= endLsn || !Number.isSafeInteger(endLsn)) return undefined
  return {
    kind: match[5]!.startsWith('d') ? 'delta' : 'page-image',
    level: match[5]!.endsWith('0') ? 0 : 1,
    keyStart,
    keyEnd,
    startLsn: Lsn.of(startLsn),
    endLsn: Lsn.of(endLsn),
    generation: Number.parseInt(match[6]!, 16),
    serial: Number.parseInt(match[7]!, 16),
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
