import { assert } from '../../base/assert.ts'
import { KEY_BYTES } from '../key.ts'
import { comparePacked } from './packed-key.ts'

/** Bytes of a key before its last field, the block number. Neighbouring changes mostly share them. */
export const PREFIX_BYTES = 14

/** Marks the end of a chain or an empty slot. */
export const NONE = 0xffff_ffff

const WILL_INIT_BIT = 0x8000_0000
export const VALUE_BYTES_MAX = 0x7fff_ffff

type U32 = Uint32Array<SharedArrayBuffer>

/** The index as flat arrays in shared memory: what a worker gets instead of a copy. */
export interface PackedIndex {
  readonly keyCount: number
  readonly versionCount: number
  readonly prefixCount: number
  /** prefixCount x 14 bytes. */
  readonly prefixes: Uint8Array
  readonly keyPrefix: Uint32Array
  readonly keyBlock: Uint32Array
  /** Newest version of each key. */
  readonly keyHead: Uint32Array
  /** VERSION_WORDS for each version. */
  readonly versions: Uint32Array
}

/**
 * One version in `versions`, in one cache line: 0 lsn low | 1 lsn high | 2 position | 3 length, top bit = willInit |
 * 4 next older version of the key, or NONE.
 */
export const VERSION_WORDS = 5
const TWO_32 = 0x1_0000_0000

/**
 * key -> versions, newest first, without an object for any of them. Key prefixes are interned to small numbers; keys are
 * found by open addressing over (prefix number, block number); versions are chained through growing arrays.
 */
export class OpenLayerIndex {
  keyCount = 0
  versionCount = 0
  prefixCount = 0

  // Room for half as many prefixes, and keys, as there are slots.
  #prefixes = sharedBytes(PREFIX_BYTES * 128)
  #prefixSlots = new Uint32Array(256).fill(NONE)
  #prefixFirstKey = shared32(128)
  #lastPrefix = NONE

  #keySlots = new Uint32Array(4096).fill(NONE)
  #keyPrefix = shared32(2048)
  #keyBlock = shared32(2048)
  #keyHead = shared32(2048)
  #keyNextOfPrefix = shared32(2048)

  #versions = shared32(VERSION_WORDS * 4096)

  /** Adds a version above all others of its key. */
  put(key: Uint8Array, lsn: number, willInit: boolean, position: number, length: number): void {
    const keyIndex = this.#internKey(key)
    const older = this.#keyHead[keyIndex]!
    assert(older === NONE || this.lsn(older) < lsn, 'a key has two values at one lsn, or they come out of order')
    const version = this.versionCount
    const at = version * VERSION_WORDS
    if (at === this.#versions.length) this.#versions = grown(this.#versions)
    const versions = this.#versions
    versions[at] = lsn % TWO_32
    versions[at + 1] = Math.floor(lsn / TWO_32)
    versions[at + 2] = position
    versions[at + 3] = willInit ? (length | WILL_INIT_BIT) >>> 0 : length
    versions[at + 4] = older
    this.#keyHead[keyIndex] = version
    this.versionCount = version + 1
  }

  /** Forgets the versions from `versionCount` on; their keys stay, some without a version. Visits every key. */
  rollback(versionCount: number): void {
    for (let keyIndex = 0; keyIndex < this.keyCount; keyIndex++) {
      let head = this.#keyHead[keyIndex]!
      while (head !== NONE && head >= versionCount) head = this.older(head)
      this.#keyHead[keyIndex] = head
    }
    this.versionCount = versionCount
  }

  /** As new, but for the memory it has grown to. */
  clear(): void {
    this.keyCount = 0
    this.versionCount = 0
    this.prefixCount = 0
    this.#prefixSlots.fill(NONE)
    this.#keySlots.fill(NONE)
    this.#lastPrefix = NONE
  }

  /** The newest version of the key at `offset` in packed keys, or NONE. */
  newest(keys: Uint8Array, offset: number): number {
    const prefix = this.#findPrefix(keys, offset)
    if (prefix === NONE) return NONE
    const keyIndex = this.#keySlots[this.#keySlot(prefix, blockOf(keys, offset))]!
    return keyIndex === NONE ? NONE : this.#keyHead[keyIndex]!
  }

  lsn(version: number): number {
    const at = version * VERSION_WORDS
    return this.#versions[at + 1]! * TWO_32 + this.#versions[at]!
  }

  position(version: number): number {
    return this.#versions[version * VERSION_WORDS + 2]!
  }

  length(version: number): number {
    return this.#versions[version * VERSION_WORDS + 3]! & VALUE_BYTES_MAX
  }

  willInit(version: number): boolean {
    return this.#versions[version * VERSION_WORDS + 3]! >= WILL_INIT_BIT
  }

  /** The next older version of the same key, or NONE. */
  older(version: number): number {
    return this.#versions[version * VERSION_WORDS + 4]!
  }

  /** Calls `visit` with each key in [start, end) and its newest version, in no useful order. The key is reused. */
  visitRange(start: Uint8Array, end: Uint8Array, visit: (key: Uint8Array, newest: number) => void): void {
    const key = new Uint8Array(KEY_BYTES)
    for (let prefix = 0; prefix < this.prefixCount; prefix++) {
      const at = prefix * PREFIX_BYTES
      if (comparePacked(this.#prefixes, at, start, 0, PREFIX_BYTES) < 0) continue
      if (comparePacked(this.#prefixes, at, end, 0, PREFIX_BYTES) > 0) continue
      key.set(this.#prefixes.subarray(at, at + PREFIX_BYTES))
      for (let k = this.#prefixFirstKey[prefix]!; k !== NONE; k = this.#keyNextOfPrefix[k]!) {
        writeBlock(key, this.#keyBlock[k]!)
        if (comparePacked(key, 0, start, 0, KEY_BYTES) >= 0 && comparePacked(key, 0, end, 0, KEY_BYTES) < 0) {
          visit(key, this.#keyHead[k]!)
        }
      }
    }
  }

  pack(): PackedIndex {
    return {
      keyCount: this.keyCount,
      versionCount: this.versionCount,
      prefixCount: this.prefixCount,
      prefixes: this.#prefixes,
      keyPrefix: this.#keyPrefix,
      keyBlock: this.#keyBlock,
      keyHead: this.#keyHead,
      versions: this.#versions,
    }
  }

  get memoryBytes(): number {
    return (
      this.#keySlots.byteLength +
      this.#keyPrefix.byteLength * 4 +
      this.#versions.byteLength +
      this.#prefixes.byteLength +
      this.#prefixSlots.byteLength
    )
  }

  #internKey(key: Uint8Array): number {
    const prefix = this.#internPrefix(key)
    const block = blockOf(key, 0)
    let slot = this.#keySlot(prefix, block)
    const known = this.#keySlots[slot]!
    if (known !== NONE) return known
    if (this.keyCount * 2 >= this.#keySlots.length) {
      this.#growKeys()
      slot = this.#keySlot(prefix, block)
    }
    const keyIndex = this.keyCount++
    this.#keySlots[slot] = keyIndex
    this.#keyPrefix[keyIndex] = prefix
    this.#keyBlock[keyIndex] = block
    this.#keyHead[keyIndex] = NONE
    this.#keyNextOfPrefix[keyIndex] = this.#prefixFirstKey[prefix]!
    this.#prefixFirstKey[prefix] = keyIndex
    return keyIndex
  }

  /** The slot that holds the key, or the empty one where it belongs. */
  #keySlot(prefix: number, block: number): number {
    const slots = this.#keySlots
    const mask = slots.length - 1
    let slot = mix(prefix, block) & mask
    for (;;) {
      const keyIndex = slots[slot]!
      if (keyIndex === NONE) return slot
      if (this.#keyBlock[keyIndex] === block && this.#keyPrefix[keyIndex] === prefix) return slot
      slot = (slot + 1) & mask
    }
  }

  #internPrefix(key: Uint8Array): number {
    const found = this.#findPrefix(key, 0)
    if (found !== NONE) return found
    if (this.prefixCount * 2 >= this.#prefixSlots.length) this.#growPrefixes()
    const prefix = this.prefixCount++
    this.#prefixes.set(key.subarray(0, PREFIX_BYTES), prefix * PREFIX_BYTES)
    this.#prefixFirstKey[prefix] = NONE
    this.#prefixSlots[this.#prefixSlot(key, 0)] = prefix
    this.#lastPrefix = prefix
    return prefix
  }

  #findPrefix(keys: Uint8Array, offset: number): number {
    const last = this.#lastPrefix
    if (last !== NONE && equalPrefix(this.#prefixes, last * PREFIX_BYTES, keys, offset)) return last
    const prefix = this.#prefixSlots[this.#prefixSlot(keys, offset)]!
    if (prefix !== NONE) this.#lastPrefix = prefix
    return prefix
  }

  #prefixSlot(keys: Uint8Array, offset: number): number {
    const mask = this.#prefixSlots.length - 1
    let slot = hashPrefix(keys, offset) & mask
    for (;;) {
      const prefix = this.#prefixSlots[slot]!
      if (prefix === NONE || equalPrefix(this.#prefixes, prefix * PREFIX_BYTES, keys, offset)) return slot
      slot = (slot + 1) & mask
    }
  }

  #growKeys(): void {
    this.#keyPrefix = grown(this.#keyPrefix)
    this.#keyBlock = grown(this.#keyBlock)
    this.#keyHead = grown(this.#keyHead)
    this.#keyNextOfPrefix = grown(this.#keyNextOfPrefix)
    this.#keySlots = new Uint32Array(this.#keySlots.length * 2).fill(NONE)
    for (let k = 0; k < this.keyCount; k++) {
      this.#keySlots[this.#keySlot(this.#keyPrefix[k]!, this.#keyBlock[k]!)] = k
    }
  }

  #growPrefixes(): void {
    const prefixes = sharedBytes(this.#prefixes.length * 2)
    prefixes.set(this.#prefixes)
    this.#prefixes = prefixes
    this.#prefixFirstKey = grown(this.#prefixFirstKey)
    this.#prefixSlots = new Uint32Array(this.#prefixSlots.length * 2).fill(NONE)
    for (let prefix = 0; prefix < this.prefixCount; prefix++) {
      this.#prefixSlots[this.#prefixSlot(this.#prefixes, prefix * PREFIX_BYTES)] = prefix
    }
  }
}

export function blockOf(keys: Uint8Array, offset: number): number {
  return (
    ((keys[offset + 14]! << 24) | (keys[offset + 15]! << 16) | (keys[offset + 16]! << 8) | keys[offset + 17]!) >>> 0
  )
}

export function writeBlock(key: Uint8Array, block: number): void {
  key[14] = block >>> 24
  key[15] = block >>> 16
  key[16] = block >>> 8
  key[17] = block
}

function equalPrefix(a: Uint8Array, aOffset: number, b: Uint8Array, bOffset: number): boolean {
  // The fields that differ most often come last.
  for (let i = PREFIX_BYTES - 1; i >= 0; i--) if (a[aOffset + i] !== b[bOffset + i]) return false
  return true
}

function hashPrefix(keys: Uint8Array, offset: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < PREFIX_BYTES; i++) hash = Math.imul(hash ^ keys[offset + i]!, 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}

/** The finalizer of MurmurHash3 over both numbers. */
function mix(prefix: number, block: number): number {
  let hash = Math.imul(prefix + 1, 0x9e3779b1) ^ block
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function shared32(count: number): U32 {
  return new Uint32Array(new SharedArrayBuffer(4 * count))
}

function sharedBytes(count: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(count))
}

function grown(array: U32): U32 {
  const larger = shared32(array.length * 2)
  larger.set(array)
  return larger
}
