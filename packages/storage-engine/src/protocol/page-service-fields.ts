/** Fields that messages of the page service share (page-service-messages.ts). */
import { CorruptionError } from '../base/errors.ts'
import { Lsn } from '../postgres/lsn.ts'

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Throws CorruptionError beyond 2^53 - 1. */
export function readLsn(view: DataView, offset: number): Lsn {
  if (view.getUint32(offset + 4, true) >= 0x20_0000) throw new CorruptionError('lsn out of range', { offset })
  return Lsn.read(view, offset)
}

export function requireFork(fork: number): void {
  if (fork > 3) throw new CorruptionError('no such fork', { fork })
}

/** Throws CorruptionError when the payload does not have so many bytes. */
export function requireLength(payload: Uint8Array, atLeast: number, atMost = Number.POSITIVE_INFINITY): void {
  if (payload.length < atLeast || payload.length > atMost) {
    throw new CorruptionError('page service message has the wrong length', { bytes: payload.length, expected: atLeast })
  }
}
