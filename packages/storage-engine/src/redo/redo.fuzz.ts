import { assert } from '../base/assert.ts'
import { isStorageError } from '../base/errors.ts'
import type { Random } from '../io/random.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { createDecodedRecord, decodeRecord } from '../wal/record-decoder.ts'
import { applyPageChanges, encodePageImage, type PageAddress } from './page-change.ts'
import { redoBlock } from './redo.ts'
import storedCases from './redo-cases.json' with { type: 'json' }
import { decodeRedoCase, type RedoCase } from './redo-cases.ts'

/**
 * Damaged records on good pages, good records on damaged pages, records on other records' pages, and damaged values: redo
 * ends, writes nothing outside its page and throws nothing but CorruptionError or `unsupported`.
 */
const GUARD = 0xa5
const GUARD_BYTES = 64
const LINE_POINTERS_END = 200

/** An event is one redo of one block. */
export const redoFuzzer = {
  name: 'redo',
  run(random: Random, { events }: { events: number }): void {
    const cases = storedCases.map(decodeRedoCase)
    const decoded = createDecodedRecord()
    const memory = new Uint8Array(PAGE_SIZE + 2 * GUARD_BYTES)
    const page = memory.subarray(GUARD_BYTES, GUARD_BYTES + PAGE_SIZE)
    for (let event = 0; event < events; event++) {
      memory.fill(GUARD)
      const one = pick(random, cases)
      page.set(random.below(6) === 0 ? pick(random, cases).before : one.before)
      if (random.below(2) === 0) damagePage(random, page)
      const bytes = one.record.slice()
      if (random.below(2) === 0) damageRecord(random, bytes)
      expectTypedErrors(() => {
        decodeRecord(bytes, decoded)
        if (decoded.blockCount > 0)
          redoBlock(page, decoded, decoded.blocks[random.below(decoded.blockCount)]!, one.endLsn)
      })
      for (let i = 0; i < GUARD_BYTES; i++) {
        assert(memory[i] === GUARD && memory[memory.length - 1 - i] === GUARD, 'redo wrote outside its page')
      }
    }
  },
}

/** An event is one damaged value on top of an image. */
export const pageChangeFuzzer = {
  name: 'page-change',
  run(random: Random, { events }: { events: number }): void {
    const cases = storedCases.map(decodeRedoCase)
    const page = new Uint8Array(PAGE_SIZE)
    for (let event = 0; event < events; event++) {
      const one = pick(random, cases)
      const base = encodePageImage(one.before)
      const value = randomValue(random, one)
      if (random.below(3) === 0) base[random.below(base.length)] = random.below(256)
      const chain = { values: [value, base], lsns: [one.endLsn, Lsn.zero], complete: true }
      expectTypedErrors(() => applyPageChanges(page, randomAddress(random), chain))
    }
  },
}

function randomValue(random: Random, one: RedoCase): Uint8Array {
  if (random.below(3) === 0) {
    const value = Uint8Array.of(2, ...one.record)
    value[random.below(value.length)] = random.below(256)
    return value.subarray(0, random.below(4) === 0 ? random.below(value.length) : value.length)
  }
  const value = new Uint8Array(1 + random.below(40))
  for (let i = 0; i < value.length; i++) value[i] = random.below(random.below(2) === 0 ? 4 : 256)
  value[0] = random.below(11)
  return value
}

function randomAddress(random: Random): PageAddress {
  const blockNumber = random.below(3)
  const slrus = ['clog', 'multixact-offsets', 'multixact-members'] as const
  if (random.below(2) === 0) return { kind: 'slru', slru: pick(random, slrus), pageNumber: blockNumber }
  return { kind: 'block', spcOid: 1663, dbOid: 5, relNumber: 16384, fork: random.below(4), blockNumber }
}

/** Damage where it tells: header, line pointers, special space, then anywhere. */
function damagePage(random: Random, page: Uint8Array): void {
  for (let count = 1 + random.below(5); count > 0; count--) {
    const where = [24, LINE_POINTERS_END, PAGE_SIZE][random.below(3)]!
    const at = random.below(4) === 0 ? PAGE_SIZE - 1 - random.below(16) : random.below(where)
    page[at] = random.below(256)
  }
}

/** Lengths of the header stay, so that most damage reaches redo. */
function damageRecord(random: Random, record: Uint8Array): void {
  for (let count = 1 + random.below(4); count > 0; count--) {
    const at = random.below(3) === 0 ? 16 + random.below(2) : 24 + random.below(record.length - 24)
    record[at] = random.below(at < 24 ? 24 : 256)
  }
}

function expectTypedErrors(call: () => void): void {
  try {
    call()
  } catch (error) {
    if (!isStorageError(error, 'corruption') && !isStorageError(error, 'unsupported')) throw error
  }
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[random.below(items.length)]!
}
