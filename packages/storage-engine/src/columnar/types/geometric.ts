/** point, line, lseg, box, path, polygon, circle as text (src/backend/utils/adt/geo_ops.c, PG 18): float8 coordinates. */
import { f64, i32 } from '../little-endian.ts'
import { formatFloat8 } from './float-text.ts'
import { textualCodec } from './text.ts'

export const pointCodec = textualCodec((bytes, start) => pointText(bytes, start))
export const lsegCodec = textualCodec((bytes, start) => `[${pointText(bytes, start)},${pointText(bytes, start + 16)}]`)
export const boxCodec = textualCodec((bytes, start) => `${pointText(bytes, start)},${pointText(bytes, start + 16)}`)
export const lineCodec = textualCodec(
  (bytes, start) => `{${[0, 8, 16].map((offset) => formatFloat8(f64(bytes, start + offset))).join(',')}}`,
)
export const circleCodec = textualCodec(
  (bytes, start) => `<${pointText(bytes, start)},${formatFloat8(f64(bytes, start + 16))}>`,
)

/** i32 count, i32 closed, i32 padding, points. */
export const pathCodec = textualCodec((bytes, start, end) => {
  const points = pointsText(bytes, start + 12, end, i32(bytes, start))
  return i32(bytes, start + 4) ? `(${points})` : `[${points}]`
})

/** i32 count, bounding box, points. */
export const polygonCodec = textualCodec(
  (bytes, start, end) => `(${pointsText(bytes, start + 36, end, i32(bytes, start))})`,
)

function pointsText(bytes: Uint8Array, start: number, end: number, count: number): string {
  const available = Math.min(count, Math.floor((end - start) / 16))
  return Array.from({ length: Math.max(0, available) }, (_, i) => pointText(bytes, start + i * 16)).join(',')
}

function pointText(bytes: Uint8Array, start: number): string {
  return `(${formatFloat8(f64(bytes, start))},${formatFloat8(f64(bytes, start + 8))})`
}
