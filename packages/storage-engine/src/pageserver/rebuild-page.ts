import { StorageError } from '../base/errors.ts'
import { PAGE_SIZE, SLRU_PAGES_PER_SEGMENT } from '../postgres/constants.ts'
import { applyPageChanges, type PageAddress, type SlruAddress } from '../redo/page-change.ts'
import { decodeKey, formatKey, KeyKind, Slru } from './key.ts'
import type { ValueChain } from './timeline/timeline-storage.ts'

const SLRU_NAMES: Readonly<Record<number, SlruAddress['slru']>> = {
  [Slru.xact]: 'clog',
  [Slru.multixactMembers]: 'multixact-members',
  [Slru.multixactOffsets]: 'multixact-offsets',
}

/** The page under a relation block or SLRU page key, in a buffer of its own. */
export function rebuildPage(key: Uint8Array, chain: ValueChain): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE)
  rebuildPageInto(page, key, chain)
  return page
}

/** The same into 8192 bytes of the caller's. */
export function rebuildPageInto(page: Uint8Array, key: Uint8Array, chain: ValueChain): void {
  applyPageChanges(page, pageAddress(key), chain)
}

function pageAddress(key: Uint8Array): PageAddress {
  const { kind, a, b, c, d, e } = decodeKey(key)
  if (kind === KeyKind.relationBlock) {
    return { kind: 'block', spcOid: a, dbOid: b, relNumber: c, fork: d, blockNumber: e }
  }
  const slru = SLRU_NAMES[a]
  if (kind !== KeyKind.slruPage || slru === undefined) {
    throw new StorageError('invalid-input', 'not the key of a page', { key: formatKey(key) })
  }
  return { kind: 'slru', slru, pageNumber: c * SLRU_PAGES_PER_SEGMENT + e }
}
