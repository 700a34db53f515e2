import { assert } from '../base/assert.ts'
import { PAGE_SIZE } from './constants.ts'

/**
 * Data page checksum: FNV-1a variant over 32 lanes (src/include/storage/checksum_impl.h, PG 18). pd_checksum itself counts
 * as zero. It depends on the block number within the fork, not on fork or relation; new pages carry none.
 */
const BASE_OFFSETS = Int32Array.from([
  0x5b1f36e9, 0xb8525960, 0x02ab50aa, 0x1de66d2a, 0x79ff467a, 0x9bb9f8a3, 0x217e7cd2, 0x83e13d2c, 0xf8d4474f,
  0xe39eb970, 0x42c6ae16, 0x993216fa, 0x7b093b5d, 0x98daff3c, 0xf718902a, 0x0b1c9cdb, 0xe58f764b, 0x187636bc,
  0x5d7b3bb1, 0xe73de7de, 0x92bec979, 0xcca6c0b2, 0x304a0979, 0x85aa43d4, 0x783125bb, 0x6ca8eaa2, 0xe407eac6,
  0x4b5cfc3e, 0x9fbf8c76, 0x15ca20be, 0xf2ca9fd3, 0x959bd756,
])
const PRIME = 16777619
const LANES = 32
const WORDS = PAGE_SIZE / 4
/** pd_checksum is the low half of this word (pd_flags the high half). */
const CHECKSUM_WORD = 2

const lanes = new Int32Array(LANES)
const aligned = new Int32Array(WORDS)

/** Value for pd_checksum, 1..65535. */
export function computePageChecksum(page: Uint8Array, blockNumber: number): number {
  assert(page.length === PAGE_SIZE, 'a page has 8192 bytes')
  const words = wordsOf(page)
  lanes.set(BASE_OFFSETS)
  for (let index = 0; index < WORDS; index++) {
    const word = index === CHECKSUM_WORD ? words[index]! & 0xffff0000 : words[index]!
    const mixed = lanes[index & 31]! ^ word
    lanes[index & 31] = Math.imul(mixed, PRIME) ^ (mixed >>> 17)
  }
  let result = blockNumber
  for (let lane = 0; lane < LANES; lane++) {
    let sum = lanes[lane]!
    sum = Math.imul(sum, PRIME) ^ (sum >>> 17)
    sum = Math.imul(sum, PRIME) ^ (sum >>> 17)
    result ^= sum
  }
  return ((result >>> 0) % 65535) + 1
}

/** Sets pd_checksum. */
export function writePageChecksum(page: Uint8Array, blockNumber: number): void {
  const checksum = computePageChecksum(page, blockNumber)
  page[8] = checksum & 255
  page[9] = checksum >>> 8
}

function wordsOf(page: Uint8Array): Int32Array {
  if (page.byteOffset % 4 === 0) return new Int32Array(page.buffer, page.byteOffset, WORDS)
  new Uint8Array(aligned.buffer).set(page)
  return aligned
}
