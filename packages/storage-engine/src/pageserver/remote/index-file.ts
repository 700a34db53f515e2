import { crc32c } from '../../base/crc32c.ts'
import { CorruptionError } from '../../base/errors.ts'
import { TimelineId } from '../../postgres/ids.ts'
import { Lsn } from '../../postgres/lsn.ts'
import type { ColumnarExceptions, LayerDescriptor } from '../layer/layer-descriptor.ts'
import { parseLayerName } from '../layer/layer-name.ts'

export const INDEX_FORMAT_VERSION = 1

/** The whole truth about a timeline in object storage: what this does not name does not exist. */
export interface TimelineIndex {
  readonly timelineId: TimelineId
  readonly generation: number
  /** Where this timeline's own WAL begins. */
  readonly startLsn: Lsn
  readonly ancestor: { readonly timelineId: TimelineId; readonly lsn: Lsn } | undefined
  /** Everything at or below is in the layers named here, or in the ancestor. */
  readonly consistentLsn: Lsn
  /** Reads below are refused, except at a retained LSN. */
  readonly gcCutoffLsn: Lsn
  /** LSNs below the cutoff that the last garbage collection left readable. */
  readonly retainedLsns: readonly Lsn[]
  /** LSNs that stay readable until their time. */
  readonly leases: readonly LsnLease[]
  /** Text of the layer above, kept as it is. */
  readonly attributes: Readonly<Record<string, string>>
  readonly layers: readonly LayerDescriptor[]
  /** Of the layers, those whose object was found damaged: nothing below them is removed before they were looked at again. */
  readonly damagedLayers: readonly DamagedLayer[]
}

export interface DamagedLayer {
  readonly name: string
  /** For people. */
  readonly found: string
}

/** A promise that reads at `lsn` work until `endUnixMs`. */
export interface LsnLease {
  readonly id: string
  readonly lsn: Lsn
  readonly endUnixMs: number
}

/**
 * docs/formats/index-file.md: one line of JSON, then a line `crc32c:<8 hex>` over it with its newline.
 * LSNs are text, as Postgres prints them.
 */
export function encodeIndex(index: TimelineIndex): Uint8Array {
  const body = `${JSON.stringify({
    format: 'tributary-timeline-index',
    formatVersion: INDEX_FORMAT_VERSION,
    timelineId: index.timelineId,
    generation: index.generation,
    startLsn: Lsn.format(index.startLsn),
    ancestor: index.ancestor ? { timelineId: index.ancestor.timelineId, lsn: Lsn.format(index.ancestor.lsn) } : null,
    consistentLsn: Lsn.format(index.consistentLsn),
    gcCutoffLsn: Lsn.format(index.gcCutoffLsn),
    retainedLsns: index.retainedLsns.map(Lsn.format),
    leases: index.leases.map(({ id, lsn, endUnixMs }) => ({ id, lsn: Lsn.format(lsn), endUnixMs })),
    attributes: index.attributes,
    layers: index.layers.map(({ name, sizeBytes, valueBytes, rowCount, chainLengthMax, exceptions }) => ({
      name,
      sizeBytes,
      valueBytes,
      rowCount,
      chainLengthMax,
      exceptions,
    })),
    ...(index.damagedLayers.length > 0 ? { damagedLayers: index.damagedLayers } : {}),
  })}\n`
  const bytes = new TextEncoder().encode(body)
  const trailer = new TextEncoder().encode(`crc32c:${crc32c(bytes).toString(16).padStart(8, '0')}\n`)
  const whole = new Uint8Array(bytes.length + trailer.length)
  whole.set(bytes)
  whole.set(trailer, bytes.length)
  return whole
}

const TRAILER_BYTES = 'crc32c:00000000\n'.length

/** Throws `corruption` naming the object for bytes that encodeIndex did not write. */
export function decodeIndex(bytes: Uint8Array, objectKey: string): TimelineIndex {
  const bodyBytes = bytes.length - TRAILER_BYTES
  const fail = (message: string, offsetBytes = 0): never => {
    throw new CorruptionError(message, { object: objectKey, offsetBytes })
  }
  if (bodyBytes <= 0) fail('index file is cut off')
  const decoder = new TextDecoder('utf-8', { fatal: false })
  const expected = `crc32c:${crc32c(bytes, 0, bodyBytes).toString(16).padStart(8, '0')}\n`
  if (decoder.decode(bytes.subarray(bodyBytes)) !== expected) fail('index file checksum mismatch', bodyBytes)
  let parsed: unknown
  try {
    parsed = JSON.parse(decoder.decode(bytes.subarray(0, bodyBytes)))
  } catch {
    fail('index file is not json')
  }
  const root = fieldsOf(parsed) ?? fail('index file is not an object')
  if (root.format !== 'tributary-timeline-index') fail('not a timeline index')
  if (root.formatVersion !== INDEX_FORMAT_VERSION) fail(`unknown index format version ${String(root.formatVersion)}`)

  const lsn = (value: unknown): Lsn =>
    (typeof value === 'string' ? parseLsn(value) : undefined) ?? fail('bad lsn in index')
  const count = (value: unknown): number =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : fail('bad number in index')
  const timelineId = (value: unknown): TimelineId =>
    typeof value === 'string' && /^[0-9a-f]{32}$/.test(value)
      ? TimelineId.parse(value)
      : fail('bad timeline id in index')
  const exceptionsOf = (value: unknown): ColumnarExceptions => {
    const found = fieldsOf(value) ?? fail('bad exceptions in index')
    return {
      wholePages: count(found.wholePages),
      undecodablePages: count(found.undecodablePages),
      patchedPages: count(found.patchedPages),
      rawValues: count(found.rawValues),
      overflowValues: count(found.overflowValues),
    }
  }
  const ancestor = root.ancestor === null ? undefined : (fieldsOf(root.ancestor) ?? fail('bad ancestor in index'))
  const attributes: Record<string, string> = {}
  for (const [name, value] of Object.entries(fieldsOf(root.attributes) ?? fail('bad attributes in index'))) {
    attributes[name] = typeof value === 'string' ? value : fail('bad attribute in index')
  }
  return {
    timelineId: timelineId(root.timelineId),
    generation: count(root.generation),
    startLsn: lsn(root.startLsn),
    ancestor: ancestor ? { timelineId: timelineId(ancestor.timelineId), lsn: lsn(ancestor.lsn) } : undefined,
    consistentLsn: lsn(root.consistentLsn),
    gcCutoffLsn: lsn(root.gcCutoffLsn),
    retainedLsns: listOf(root.retainedLsns, fail).map(lsn),
    // Indexes from before leases were kept have none.
    leases: listOf(root.leases ?? [], fail).map((entry) => {
      const lease = fieldsOf(entry) ?? fail('bad lease in index')
      const id = typeof lease.id === 'string' ? lease.id : fail('bad lease id in index')
      return { id, lsn: lsn(lease.lsn), endUnixMs: count(lease.endUnixMs) }
    }),
    attributes,
    layers: listOf(root.layers, fail).map((entry) => {
      const layer = fieldsOf(entry) ?? fail('bad layer in index')
      const name = typeof layer.name === 'string' ? parseLayerName(layer.name) : undefined
      if (!name) return fail('bad layer name in index')
      return {
        ...name,
        name: String(layer.name),
        sizeBytes: count(layer.sizeBytes),
        valueBytes: count(layer.valueBytes),
        rowCount: count(layer.rowCount),
        chainLengthMax: count(layer.chainLengthMax),
        ...(layer.exceptions === undefined ? {} : { exceptions: exceptionsOf(layer.exceptions) }),
      }
    }),
    damagedLayers: listOf(root.damagedLayers ?? [], fail).map((entry) => {
      const { name, found } = fieldsOf(entry) ?? fail('bad damaged layer in index')
      return typeof name === 'string' && typeof found === 'string'
        ? { name, found }
        : fail('bad damaged layer in index')
    }),
  }
}

function fieldsOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

function listOf(value: unknown, fail: (message: string) => never): unknown[] {
  return Array.isArray(value) ? value : fail('bad list in index')
}

function parseLsn(text: string): Lsn | undefined {
  try {
    return Lsn.parse(text)
  } catch {
    return undefined
  }
}
