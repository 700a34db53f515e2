/**
 * Checksums that cover every byte a reader of our files relies on. Standard Parquet readers do not look at them.
 *
 * seal: the 16 bytes in front of the footer
 *   0 u32 magic "TSL1"   4 u32 footer length   8 u32 CRC-32C of the footer   12 u32 0
 * checksum table: a blob, found through the key-value entry `tributary.checksums` = "offset length crc32c"
 *   per checked range, ascending: f64 file offset, u32 CRC-32C of the range
 * Ranges are pages with their headers, page indexes and blobs. All integers little-endian.
 */
import { CorruptionError } from '../base/errors.ts'
import { crc32c } from '../base/crc32c.ts'
import type { FileRange } from './metadata.ts'

export const CHECKSUMS_KEY = 'tributary.checksums'
export const SEAL_SIZE = 16
const SEAL_MAGIC = 0x314c5354
const ENTRY_SIZE = 12

export function encodeSeal(footer: Uint8Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(SEAL_SIZE))
  view.setUint32(0, SEAL_MAGIC, true)
  view.setUint32(4, footer.length, true)
  view.setUint32(8, crc32c(footer), true)
  return new Uint8Array(view.buffer)
}

/** False when there is no seal at all; throws when there is one that does not fit. */
export function checkSeal(seal: Uint8Array, footer: Uint8Array): boolean {
  const view = new DataView(seal.buffer, seal.byteOffset, seal.byteLength)
  if (view.getUint32(0, true) !== SEAL_MAGIC) return false
  if (
    view.getUint32(4, true) !== footer.length ||
    view.getUint32(8, true) !== crc32c(footer) ||
    view.getUint32(12, true) !== 0
  ) {
    throw new CorruptionError('parquet footer checksum mismatch', { footerLength: footer.length })
  }
  return true
}

export class ChecksumTableBuilder {
  readonly #offsets: number[] = []
  readonly #checksums: number[] = []

  /** Ranges come in ascending order. */
  add(offset: number, checksum: number): void {
    this.#offsets.push(offset)
    this.#checksums.push(checksum)
  }

  encode(): Uint8Array {
    const view = new DataView(new ArrayBuffer(this.#offsets.length * ENTRY_SIZE))
    this.#offsets.forEach((offset, i) => {
      view.setFloat64(i * ENTRY_SIZE, offset, true)
      view.setUint32(i * ENTRY_SIZE + 8, this.#checksums[i]!, true)
    })
    return new Uint8Array(view.buffer)
  }
}

export class ChecksumTable {
  readonly #view: DataView
  readonly #count: number

  constructor(bytes: Uint8Array) {
    if (bytes.length % ENTRY_SIZE !== 0)
      throw new CorruptionError('parquet checksum table size', { sizeBytes: bytes.length })
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#count = bytes.length / ENTRY_SIZE
  }

  /** Throws CorruptionError unless bytes[start, end) are what was written at file offset `offset`. */
  check(bytes: Uint8Array, start: number, end: number, offset: number): void {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#view.getFloat64(middle * ENTRY_SIZE, true) < offset) low = middle + 1
      else high = middle
    }
    if (low === this.#count || this.#view.getFloat64(low * ENTRY_SIZE, true) !== offset) {
      throw new CorruptionError('parquet range has no checksum', { offset })
    }
    if (this.#view.getUint32(low * ENTRY_SIZE + 8, true) !== crc32c(bytes, start, end)) {
      throw new CorruptionError('parquet range checksum mismatch', { offset, length: end - start })
    }
  }
}

export function formatChecksumEntry(range: FileRange, checksum: number): string {
  return `${range.offset} ${range.length} ${checksum.toString(16).padStart(8, '0')}`
}

export function parseChecksumEntry(text: string): FileRange & { readonly checksum: number } {
  const match = /^(\d{1,15}) (\d{1,10}) ([0-9a-f]{8})$/.exec(text)
  if (!match) throw new CorruptionError('parquet checksum entry', { text: text.slice(0, 64) })
  return { offset: Number(match[1]), length: Number(match[2]), checksum: Number.parseInt(match[3]!, 16) }
}
