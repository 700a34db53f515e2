import { expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { createDecodedRecord, decodeRecord } from './record-decoder.ts'
import { encodeRecord } from './record-encoder.ts'

const base = encodeRecord({
  rmid: 10,
  info: 0,
  prevLsn: Lsn.zero,
  mainData: new Uint8Array(3),
  blocks: [{ id: 0, spcOid: 1663, dbOid: 5, relNumber: 1259, blockNumber: 7, data: new Uint8Array(9) }],
})

function decodeWith(change: (bytes: Uint8Array) => void): () => void {
  const bytes = base.slice()
  change(bytes)
  return () => decodeRecord(bytes, createDecodedRecord(), Lsn.of(0x1000028))
}

// Block header at 24: id, flags, data length u16, relation 12, block 4; then the main data header at 44.
test.each<[string, (bytes: Uint8Array) => void, string]>([
  [
    'a length that is not its own',
    (bytes) => {
      bytes[0]! += 1
    },
    'not as long as it says',
  ],
  [
    'an unknown header item',
    (bytes) => {
      bytes[24] = 200
    },
    'unknown header item',
  ],
  [
    'an unknown fork',
    (bytes) => {
      bytes[25] = 0x2f
    },
    'unknown fork',
  ],
  [
    'data announced but not there',
    (bytes) => {
      bytes[26] = 0
    },
    'contradicts itself about block data',
  ],
  [
    'data there but not announced',
    (bytes) => {
      bytes[25] = 0
    },
    'contradicts itself about block data',
  ],
  [
    'more data than the record holds',
    (bytes) => {
      bytes[26] = 200
    },
    'payload of another length',
  ],
  [
    'a relation taken from no block before',
    (bytes) => {
      bytes[25] = 0xa0
    },
    'has not named',
  ],
  [
    'main data longer than the record',
    (bytes) => {
      bytes[45] = 99
    },
    'payload of another length',
  ],
  [
    'a block reference out of order',
    (bytes) => {
      bytes[44] = 0
    },
    'out of order',
  ],
  [
    'an image of no length',
    (bytes) => {
      bytes[25] = 0x30
      bytes.fill(0, 28, 33)
    },
    'impossible page image',
  ],
])('refuses %s, naming the record', (_what, change, message) => {
  expect(decodeWith(change)).toThrow(message)
  expect(decodeWith(change)).toThrow('lsn=0/1000028')
})

test('a record that is only a header has no blocks and no main data', () => {
  const record = decodeRecord(encodeRecord({ rmid: 0, info: 0x40, prevLsn: Lsn.zero }), createDecodedRecord())
  expect(record).toMatchObject({ blockCount: 0, opcode: 0x40 })
  expect(record.mainData.length).toBe(0)
})
