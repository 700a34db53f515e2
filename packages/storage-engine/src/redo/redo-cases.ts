/**
 * Records that stock Postgres 18 wrote, each with one of its pages before and after: what the unit tests and the fuzzer
 * start from. Made by differential/redo-oracle/write-cases.ts.
 */

import { PAGE_SIZE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { applyPageChange, type BlockAddress } from './page-change.ts'

/** As in redo-cases.json; byte strings are base64, pages are image values of page-change.ts. */
export interface StoredRedoCase {
  /** Record type and block id, as "Heap/INSERT block 0". */
  readonly name: string
  readonly endLsn: string
  readonly blockId: number
  /** Without the images that are only for checking. */
  readonly record: string
  /** Empty when redo needs no page. */
  readonly before: string
  /** CRC-32C of Postgres's page after the record, masked by maskPage. */
  readonly afterCrc: number
}

export interface RedoCase {
  readonly name: string
  readonly endLsn: Lsn
  readonly blockId: number
  readonly record: Uint8Array
  readonly before: Uint8Array
  readonly afterCrc: number
}

const NO_ADDRESS: BlockAddress = { kind: 'block', spcOid: 0, dbOid: 0, relNumber: 0, fork: 0, blockNumber: 0 }

export function decodeRedoCase(stored: StoredRedoCase): RedoCase {
  return {
    name: stored.name,
    endLsn: Lsn.parse(stored.endLsn),
    blockId: stored.blockId,
    record: bytesOf(stored.record),
    before: pageOf(stored.before),
    afterCrc: stored.afterCrc,
  }
}

function pageOf(text: string): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE)
  if (text !== '') applyPageChange(page, NO_ADDRESS, bytesOf(text), Lsn.zero)
  return page
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
