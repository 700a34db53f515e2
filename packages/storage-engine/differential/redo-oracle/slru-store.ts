/** Pages of pg_xact and pg_multixact: changed ones in memory, the others read from a copy of the data directory. */
import path from 'node:path'
import { PAGE_SIZE, SLRU_PAGES_PER_SEGMENT } from '../../src/postgres/constants.ts'
import type { SlruAddress } from '../../src/redo/page-change.ts'
import { readPage } from './page-store.ts'

export const SLRU_DIRECTORY: Readonly<Record<SlruAddress['slru'], string>> = {
  clog: 'pg_xact',
  'multixact-offsets': 'pg_multixact/offsets',
  'multixact-members': 'pg_multixact/members',
}

export class SlruStore {
  readonly #baseDir: string
  readonly pages: Readonly<Record<SlruAddress['slru'], Map<number, Uint8Array>>> = {
    clog: new Map(),
    'multixact-offsets': new Map(),
    'multixact-members': new Map(),
  }

  constructor(baseDir: string) {
    this.#baseDir = baseDir
  }

  page(slru: SlruAddress['slru'], pageNumber: number): Uint8Array {
    const known = this.pages[slru].get(pageNumber)
    if (known !== undefined) return known
    const made = readSlruPage(this.#baseDir, slru, pageNumber) ?? new Uint8Array(PAGE_SIZE)
    this.pages[slru].set(pageNumber, made)
    return made
  }
}

export function readSlruPage(dataDir: string, slru: SlruAddress['slru'], pageNumber: number): Uint8Array | undefined {
  const segment = Math.floor(pageNumber / SLRU_PAGES_PER_SEGMENT)
  const file = path.join(dataDir, SLRU_DIRECTORY[slru], segment.toString(16).toUpperCase().padStart(4, '0'))
  return readPage(file, pageNumber % SLRU_PAGES_PER_SEGMENT)
}
