/** Chooses the codec of a Postgres type: built-in base types by oid (src/include/catalog/pg_type.dat, PG 18). */
import type { BytesValues } from '../../parquet/values.ts'
import { i32, u16, u32, writeI32 } from '../little-endian.ts'
import type { PostgresType } from '../table-definition.ts'
import { arrayText, compositeText, multirangeText, rangeText, readArray } from './composed.ts'
import {
  dateCodec,
  intervalCodec,
  localTimestampCodec,
  timeCodec,
  timetzCodec,
  utcTimestampCodec,
} from './date-time.ts'
import { boolCodec, float4Codec, float8Codec, int2Codec, int4Codec, int8Codec, oidCodec } from './fixed-width.ts'
import { formatFloat4 } from './float-text.ts'
import { boxCodec, circleCodec, lineCodec, lsegCodec, pathCodec, pointCodec, polygonCodec } from './geometric.ts'
import { bitCodec, pgLsnCodec, tidCodec, uuidCodec, xid8Codec } from './identifier.ts'
import { jsonbCodec } from './jsonb.ts'
import { cidrCodec, inetCodec, macaddrCodec } from './network.ts'
import { moneyCodec, numericCodec } from './numeric.ts'
import { STRING_SHAPE, binaryCodec, charCodec, decodeText, nameCodec, textCodec, textualCodec } from './text.ts'
import { tsvectorCodec } from './text-search.ts'
import { Appended, type ScalarCodec, type TypeCodec } from './type-codec.ts'

export interface CodecSettings {
  /** False for a database whose encoding is not UTF8. */
  readonly isUtf8: boolean
}

const FIXED_CODECS: ReadonlyMap<number, ScalarCodec> = new Map([
  [16, boolCodec],
  [18, charCodec],
  [19, nameCodec],
  [20, int8Codec],
  [21, int2Codec],
  [23, int4Codec],
  [27, tidCodec],
  [600, pointCodec],
  [601, lsegCodec],
  [602, pathCodec],
  [603, boxCodec],
  [604, polygonCodec],
  [628, lineCodec],
  [650, cidrCodec],
  [700, float4Codec],
  [701, float8Codec],
  [718, circleCodec],
  [774, macaddrCodec],
  [790, moneyCodec],
  [829, macaddrCodec],
  [869, inetCodec],
  [1082, dateCodec],
  [1083, timeCodec],
  [1114, localTimestampCodec],
  [1184, utcTimestampCodec],
  [1186, intervalCodec],
  [1266, timetzCodec],
  [1560, bitCodec],
  [1562, bitCodec],
  [2950, uuidCodec],
  [3220, pgLsnCodec],
  [3614, tsvectorCodec],
  [3802, jsonbCodec],
  [5069, xid8Codec],
  // oid, xid, cid, regproc, regprocedure, regoper, regoperator, regclass, regtype, regconfig, regdictionary,
  // regnamespace, regrole, regcollation
  ...[26, 28, 29, 24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191].map(
    (oid) => [oid, oidCodec] as const,
  ),
])

/** json, xml, pg_node_tree, text, bpchar, varchar, refcursor; oids of types stored as their own text. */
const TEXT_OIDS = new Set([114, 142, 194, 25, 1042, 1043, 1790])
const NUMERIC_OID = 1700

export function codecOf(type: PostgresType, typmod: number, settings: CodecSettings): TypeCodec {
  switch (type.kind) {
    case 'domain':
      return codecOf(type.base, type.typmod, settings)
    case 'enum':
      return enumCodec(type.labels)
    case 'array': {
      const element = codecOf(type.element, typmod, settings)
      const text = (bytes: Uint8Array, start: number, end: number): string =>
        arrayText(bytes, start, end, type.element, element, type.delimiter)
      if (element.kind === 'list') return textualCodec(text)
      return {
        kind: 'list',
        element,
        elements(bytes, start, end, onElement) {
          // A list has one dimension and no lower bound of its own.
          const dimensionCount = i32(bytes, start)
          if (dimensionCount > 1 || (dimensionCount === 1 && i32(bytes, start + 16) !== 1)) return false
          readArray(bytes, start, end, type.element, onElement)
          return true
        },
        text,
      }
    }
    case 'composite': {
      const codecs = type.attributes.map((each) => each.type && codecOf(each.type, each.typmod, settings))
      return textualCodec((bytes, start, end) => compositeText(bytes, start, end, type.attributes, codecs))
    }
    case 'range': {
      const codec = codecOf(type.subtype, -1, settings)
      return textualCodec((bytes, start, end) => rangeText(bytes, start, end, type.subtype, codec))
    }
    case 'multirange': {
      const codec = codecOf(type.subtype, -1, settings)
      return textualCodec((bytes, start, end) => multirangeText(bytes, start, end, type.subtype, codec))
    }
    case 'base':
      return baseCodec(type, typmod, settings)
  }
}

function baseCodec(type: PostgresType, typmod: number, settings: CodecSettings): ScalarCodec {
  if (type.oid === NUMERIC_OID) return numericCodec(typmod)
  if (TEXT_OIDS.has(type.oid)) return textCodec(settings.isUtf8)
  const known = FIXED_CODECS.get(type.oid)
  if (known) return known
  // Types of extensions have no fixed oid; these two are known by their name and length.
  if (type.name === 'citext' && type.length === -1) return textCodec(settings.isUtf8)
  if (type.name === 'vector' && type.length === -1) return vectorCodec
  return binaryCodec()
}

/** pgvector: u16 dimensions, u16 unused, float4 each. */
const vectorCodec = textualCodec((bytes, start, end) => {
  const count = Math.min(u16(bytes, start), Math.floor((end - start - 4) / 4))
  const view = new DataView(bytes.buffer, bytes.byteOffset + start + 4, count * 4)
  return `[${Array.from({ length: count }, (_, i) => formatFloat4(view.getFloat32(i * 4, true))).join(',')}]`
})

/** The label; a value that is no longer in pg_enum overflows. */
function enumCodec(labels: readonly (readonly [oid: number, label: string])[]): ScalarCodec {
  const labelOf = new Map(labels)
  const encodedOf = new Map(labels.map(([oid, label]) => [oid, new TextEncoder().encode(label)]))
  const oidOf = new Map(labels.map(([oid, label]) => [label, oid]))
  return {
    kind: 'scalar',
    shape: STRING_SHAPE,
    isInvertible: true,
    append(values, bytes, start) {
      const label = encodedOf.get(u32(bytes, start))
      if (label === undefined) return Appended.overflow
      ;(values as BytesValues).append(label)
      return Appended.exact
    },
    write(values, index, out, at) {
      const label = (values as BytesValues).at(index)
      writeI32(out, at, oidOf.get(decodeText(label, 0, label.length)) ?? 0)
      return at + 4
    },
    text: (bytes, start) => labelOf.get(u32(bytes, start)) ?? String(u32(bytes, start)),
  }
}
