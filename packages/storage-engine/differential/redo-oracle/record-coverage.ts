/** Which record types a run of the oracle met, and which of the native ones it must have met. */

import { readU16 } from '../../src/redo/little-endian.ts'
import type { DecodedRecord } from '../../src/wal/record.ts'
import { RmgrId } from '../../src/wal/rmgr-table.ts'

/** Types by name, with the flags that take another path through redo as a suffix. */
export class RecordCoverage {
  readonly counts = new Map<string, number>()
  recordCount = 0
  blockCount = 0
  comparedCount = 0

  add(record: DecodedRecord): void {
    this.recordCount++
    for (const name of recordTypeNames(record)) this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
  }

  merge(other: RecordCoverage): void {
    this.recordCount += other.recordCount
    this.blockCount += other.blockCount
    this.comparedCount += other.comparedCount
    for (const [name, count] of other.counts) this.counts.set(name, (this.counts.get(name) ?? 0) + count)
  }

  missing(): string[] {
    return REQUIRED_TYPES.filter((name) => !this.counts.has(name))
  }

  table(): string {
    return [...this.counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `${String(count).padStart(9)}  ${name}`)
      .join('\n')
  }
}

/**
 * Every record type with native redo that a primary of Postgres 18 can write, and the branches inside them.
 *
 * Left out, with the reason: freeze plans with xvac flags (tuples moved by VACUUM FULL before 9.0 only); HEAP2 REWRITE,
 * HEAP2 NEW_CID and HEAP TRUNCATE (wal_level=logical, no blocks, no page change); a HOT_UPDATE that initialises its page
 * (the old tuple is on it).
 */
export const REQUIRED_TYPES: readonly string[] = [
  'XLOG/FPI',
  'XLOG/FPI_FOR_HINT',
  'XLOG/FPI_FOR_HINT without image',
  'Heap/INSERT',
  'Heap/INSERT+INIT',
  'Heap/INSERT all-visible-cleared',
  'Heap/INSERT speculative',
  'Heap/DELETE',
  'Heap/DELETE all-visible-cleared',
  'Heap/DELETE super',
  'Heap/DELETE partition-move',
  'Heap/UPDATE same page',
  'Heap/UPDATE across pages',
  'Heap/UPDATE+INIT',
  'Heap/UPDATE prefix',
  'Heap/UPDATE suffix',
  'Heap/UPDATE old all-visible-cleared',
  'Heap/UPDATE new all-visible-cleared',
  'Heap/HOT_UPDATE',
  'Heap/HOT_UPDATE prefix',
  'Heap/HOT_UPDATE suffix',
  'Heap/HOT_UPDATE old all-visible-cleared',
  'Heap/CONFIRM',
  'Heap/LOCK',
  'Heap/LOCK multixact',
  'Heap/LOCK all-frozen-cleared',
  'Heap/INPLACE',
  'Heap2/PRUNE_ON_ACCESS',
  'Heap2/PRUNE_VACUUM_SCAN',
  'Heap2/PRUNE_VACUUM_CLEANUP',
  'Heap2/PRUNE freeze plans',
  'Heap2/PRUNE redirected',
  'Heap2/PRUNE dead',
  'Heap2/PRUNE unused',
  'Heap2/PRUNE without cleanup lock',
  'Heap2/VISIBLE',
  'Heap2/MULTI_INSERT',
  'Heap2/MULTI_INSERT+INIT',
  'Heap2/MULTI_INSERT all-visible-cleared',
  'Heap2/MULTI_INSERT all-frozen-set',
  'Heap2/LOCK_UPDATED',
  'Btree/INSERT_LEAF',
  'Btree/INSERT_UPPER',
  'Btree/INSERT_META',
  'Btree/SPLIT_L',
  'Btree/SPLIT_L rightmost',
  'Btree/SPLIT_L internal',
  'Btree/SPLIT_L posting',
  'Btree/SPLIT_R',
  'Btree/SPLIT_R rightmost',
  'Btree/SPLIT_R internal',
  'Btree/SPLIT_R posting',
  'Btree/INSERT_POST',
  'Btree/DEDUP',
  'Btree/DELETE',
  'Btree/DELETE posting update',
  'Btree/UNLINK_PAGE',
  'Btree/UNLINK_PAGE internal',
  'Btree/UNLINK_PAGE_META',
  'Btree/NEWROOT empty',
  'Btree/NEWROOT split',
  'Btree/MARK_PAGE_HALFDEAD',
  'Btree/VACUUM',
  'Btree/VACUUM posting update',
  'Btree/REUSE_PAGE',
  'Btree/META_CLEANUP',
  'Sequence/LOG',
]

const HEAP_NAMES = ['INSERT', 'DELETE', 'UPDATE', 'TRUNCATE', 'HOT_UPDATE', 'CONFIRM', 'LOCK', 'INPLACE']
const HEAP2_NAMES = [
  ...['REWRITE', 'PRUNE_ON_ACCESS', 'PRUNE_VACUUM_SCAN', 'PRUNE_VACUUM_CLEANUP'],
  ...['VISIBLE', 'MULTI_INSERT', 'LOCK_UPDATED', 'NEW_CID'],
]
const BTREE_NAMES = [
  ...['INSERT_LEAF', 'INSERT_UPPER', 'INSERT_META', 'SPLIT_L', 'SPLIT_R', 'INSERT_POST', 'DEDUP', 'DELETE'],
  ...['UNLINK_PAGE', 'UNLINK_PAGE_META', 'NEWROOT', 'MARK_PAGE_HALFDEAD', 'VACUUM', 'REUSE_PAGE', 'META_CLEANUP'],
]
const BY_IMAGE: Readonly<Record<number, string>> = {
  [RmgrId.hash]: 'Hash',
  [RmgrId.gin]: 'Gin',
  [RmgrId.gist]: 'Gist',
  [RmgrId.spgist]: 'SPGist',
  [RmgrId.brin]: 'BRIN',
  [RmgrId.generic]: 'Generic',
}

/** Names of the types a record counts for; empty for records that change no page. */
export function recordTypeNames(record: DecodedRecord): string[] {
  const main = record.mainData
  switch (record.rmid) {
    case RmgrId.xlog:
      if (record.opcode === 0xb0) return ['XLOG/FPI']
      if (record.opcode !== 0xa0) return []
      return [record.blocks[0]!.hasImage ? 'XLOG/FPI_FOR_HINT' : 'XLOG/FPI_FOR_HINT without image']
    case RmgrId.heap:
      return heapNames(record, main)
    case RmgrId.heap2:
      return heap2Names(record, main)
    case RmgrId.btree:
      return btreeNames(record, main)
    case RmgrId.sequence:
      return ['Sequence/LOG']
    default: {
      const name = BY_IMAGE[record.rmid]
      return name === undefined ? [] : [`${name}/0x${record.opcode.toString(16).padStart(2, '0')} (by image)`]
    }
  }
}

function heapNames(record: DecodedRecord, main: Uint8Array): string[] {
  const name = `Heap/${HEAP_NAMES[(record.opcode >> 4) & 7]}`
  const names = [record.opcode & 0x80 ? `${name}+INIT` : name]
  const flag = (set: number | boolean, suffix: string): void => {
    if (set) names.push(`${name} ${suffix}`)
  }
  switch (record.opcode & 0x70) {
    case 0x00:
      flag(main[2]! & 1, 'all-visible-cleared')
      flag(main[2]! & 4, 'speculative')
      break
    case 0x10:
      flag(main[7]! & 1, 'all-visible-cleared')
      flag(main[7]! & 8, 'super')
      flag(main[7]! & 16, 'partition-move')
      break
    case 0x20:
      flag(record.blockCount === 1, 'same page')
      flag(record.blockCount > 1, 'across pages')
      flag(main[7]! & 2, 'new all-visible-cleared')
      updateFlags(main, flag)
      break
    case 0x40:
      updateFlags(main, flag)
      break
    case 0x60:
      flag(main[6]! & 1, 'multixact')
      flag(main[7]! & 1, 'all-frozen-cleared')
      break
  }
  return names
}

function updateFlags(main: Uint8Array, flag: (set: number, suffix: string) => void): void {
  flag(main[7]! & 1, 'old all-visible-cleared')
  flag(main[7]! & 0x20, 'prefix')
  flag(main[7]! & 0x40, 'suffix')
}

function heap2Names(record: DecodedRecord, main: Uint8Array): string[] {
  const opcode = record.opcode & 0x70
  const name = `Heap2/${HEAP2_NAMES[opcode >> 4]}`
  const names = [record.opcode & 0x80 ? `${name}+INIT` : name]
  if (opcode >= 0x10 && opcode <= 0x30) {
    const flags = main[1]!
    if (flags & 0x10) names.push('Heap2/PRUNE freeze plans')
    if (flags & 0x20) names.push('Heap2/PRUNE redirected')
    if (flags & 0x40) names.push('Heap2/PRUNE dead')
    if (flags & 0x80) names.push('Heap2/PRUNE unused')
    if (!(flags & 0x04)) names.push('Heap2/PRUNE without cleanup lock')
  }
  if (opcode === 0x50) {
    if (main[0]! & 0x01) names.push(`${name} all-visible-cleared`)
    if (main[0]! & 0x20) names.push(`${name} all-frozen-set`)
  }
  return names
}

function btreeNames(record: DecodedRecord, main: Uint8Array): string[] {
  const name = `Btree/${BTREE_NAMES[record.opcode >> 4]}`
  const hasBlock = (id: number): boolean => record.blocks.slice(0, record.blockCount).some((block) => block.id === id)
  switch (record.opcode) {
    case 0x30:
    case 0x40: {
      const names = [name]
      if (!hasBlock(2)) names.push(`${name} rightmost`)
      if (main[0] !== 0) names.push(`${name} internal`)
      if (readU16(main, 8) !== 0) names.push(`${name} posting`)
      return names
    }
    case 0x70:
      return readU16(main, 6) > 0 ? [name, `${name} posting update`] : [name]
    case 0xc0:
      return readU16(main, 2) > 0 ? [name, `${name} posting update`] : [name]
    case 0x80:
    case 0x90:
      return hasBlock(3) ? [name, 'Btree/UNLINK_PAGE internal'] : [name]
    case 0xa0:
      return [main[4] === 0 ? `${name} empty` : `${name} split`]
    default:
      return [name]
  }
}
