/** Compares the pages that redo arrived at with the files of the server after a clean stop. */
import fs from 'node:fs'
import path from 'node:path'
import { PAGE_SIZE } from '../../src/postgres/constants.ts'
import { Fork } from '../../src/postgres/relation.ts'
import { isNewPage, maxOffsetNumber, pageSpecial } from '../../src/redo/page.ts'
import { maskPage, type PageMask } from '../../src/redo/page-mask.ts'
import { readBasePage, relationPath, type StoredFork } from './page-store.ts'
import { firstDifference, type RedoOracle } from './redo-oracle.ts'
import { readSlruPage } from './slru-store.ts'

export interface DataFileComparison {
  pageCount: number
  visibilityPageCount: number
  slruPageCount: number
}

/** Differences go to `oracle.report`. The server must have been stopped in order. */
export function compareDataFiles(oracle: RedoOracle, dataDir: string): DataFileComparison {
  const comparison: DataFileComparison = { pageCount: 0, visibilityPageCount: 0, slruPageCount: 0 }
  for (const fork of oracle.pages.forks()) {
    // The free-space map is a hint, never logged as such.
    if (fork.fork === Fork.fsm) continue
    const name = relationPath(fork.spcOid, fork.dbOid, fork.relNumber, fork.fork)
    const file = path.join(dataDir, name)
    // No file: dropped since. An init fork means the main fork is unlogged.
    if (!fs.existsSync(file)) continue
    const init = path.join(dataDir, relationPath(fork.spcOid, fork.dbOid, fork.relNumber, Fork.init))
    if (fork.fork !== Fork.init && fs.existsSync(init)) continue
    compareFork(oracle, fork, name, fs.readFileSync(file), comparison)
  }
  for (const slru of ['clog', 'multixact-offsets', 'multixact-members'] as const) {
    for (const [pageNumber, ours] of oracle.slrus.pages[slru]) {
      const theirs = readSlruPage(dataDir, slru, pageNumber)
      comparison.slruPageCount++
      if (theirs === undefined) oracle.report(`${slru} page ${pageNumber} is not in its file`)
      else if (Buffer.compare(ours, theirs) !== 0) {
        oracle.report(`${slru} page ${pageNumber}: ${firstDifference(ours, theirs)}`)
      }
    }
  }
  return comparison
}

function compareFork(
  oracle: RedoOracle,
  fork: StoredFork,
  name: string,
  file: Uint8Array,
  comparison: DataFileComparison,
): void {
  const blockCount = file.length / PAGE_SIZE
  for (const [blockNumber, page] of fork.pages) {
    if (blockNumber >= blockCount && !isNewPage(page.bytes))
      oracle.report(`${name} block ${blockNumber} is beyond the file`)
  }
  for (let blockNumber = 0; blockNumber < blockCount; blockNumber++) {
    const stored = fork.pages.get(blockNumber)
    if (stored?.diverged) continue
    const theirs = file.slice(blockNumber * PAGE_SIZE, (blockNumber + 1) * PAGE_SIZE)
    const ours = stored === undefined ? readBasePage(fork, blockNumber) : stored.bytes.slice()
    // Extending a relation initialises pages in memory that no record speaks of until their first item.
    if (isNewPage(ours) && (isNewPage(theirs) || maxOffsetNumber(theirs) === 0) && fork.fork === Fork.main) continue
    const mask = maskForFile(fork, stored?.mask, theirs)
    if (leftOut(mask, blockNumber)) continue
    if (fork.fork === Fork.vm) comparison.visibilityPageCount++
    else comparison.pageCount++
    maskPage(ours, mask, blockNumber)
    maskPage(theirs, mask, blockNumber)
    if (fork.visibilityLost && isSubset(ours, theirs)) continue
    if (Buffer.compare(ours, theirs) !== 0) {
      oracle.report(`${name} block ${blockNumber} (${mask}) at the end: ${firstDifference(ours, theirs)}`)
    }
  }
}

function isSubset(ours: Uint8Array, theirs: Uint8Array): boolean {
  return ours.every((byte, at) => (byte & ~theirs[at]!) === 0)
}

/** Pages known only as full images, or not changed since initdb, are told apart by their special space. */
function maskForFile(fork: StoredFork, mask: PageMask | undefined, page: Uint8Array): PageMask {
  if (fork.fork === Fork.vm) return 'visibility-map'
  if (mask !== undefined && mask !== 'header-only') return mask
  switch (PAGE_SIZE - pageSpecial(page)) {
    case 0:
      return 'heap'
    case 16:
      return maskBySpecialId(page)
    case 8:
      return specialId(page) === 0xff82 ? 'spgist' : 'header-only'
    default:
      return 'header-only'
  }
}

/** Index pages with 16 bytes of special space: GiST and Hash end with an id of their own, B-tree with the cycle id. */
function maskBySpecialId(page: Uint8Array): PageMask {
  const id = specialId(page)
  return id === 0xff81 ? 'gist' : id === 0xff80 ? 'hash' : 'btree'
}

function specialId(page: Uint8Array): number {
  return page[PAGE_SIZE - 2]! | (page[PAGE_SIZE - 1]! << 8)
}

/** Sequences are logged ahead of their page; the last-used-pages cache of SP-GiST's metapage is not logged. */
function leftOut(mask: PageMask, blockNumber: number): boolean {
  return mask === 'sequence' || (mask === 'spgist' && blockNumber === 0)
}
