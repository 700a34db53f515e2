/**
 * Keys of the versioned store below a timeline: 18 bytes, big-endian, so that bytewise order is field order.
 *
 *   u8 kind | u32 a | u32 b | u32 c | u8 d | u32 e
 *
 * | kind                | a    | b           | c           | d    | e                  | value                         |
 * | ------------------- | ---- | ----------- | ----------- | ---- | ------------------ | ----------------------------- |
 * | 00 relation block   | spc  | db          | rel         | fork | block              | page change (redo)            |
 * | 01 slru page        | slru | 0           | segment     | 0    | page in segment    | page change (redo)            |
 * | 02 two-phase file   | 0    | xid high    | xid low     | 0    | 0                  | file bytes                    |
 * | 03 cluster state    | 0    | 0           | 0           | 0    | 0                  | ingest/cluster-state.ts       |
 * | 04 relation map     | spc  | db          | 0           | 0    | 0                  | pg_filenode.map, 524 bytes    |
 * | 61 relation size    | spc  | db          | rel         | fork | 0                  | u32 blocks                    |
 * | 64 database         | spc  | db          | 0           | 0    | 0                  | one byte                      |
 * | 66 slru segment     | slru | 0           | segment     | 0    | 0                  | u32 pages                     |
 * | 70 record journal   | 0    | 0           | 0           | 0    | 0                  | ingest/record-journal.ts      |
 * | 71 commit journal   | 0    | 0           | 0           | 0    | 0                  | ingest/commit-journal.ts      |
 *
 * A directory is the set of its live keys, one key an entry, so making one relation among 100,000 writes one small value.
 * Kinds from 61 on are small: listing relations or segments never touches pages.
 */
export const KEY_BYTES = 18

export const KeyKind = {
  relationBlock: 0x00,
  slruPage: 0x01,
  twoPhaseFile: 0x02,
  clusterState: 0x03,
  relationMap: 0x04,
  relationSize: 0x61,
  database: 0x64,
  slruSegment: 0x66,
  recordJournal: 0x70,
  commitJournal: 0x71,
  eventJournal: 0x72,
} as const

/** SLRUs kept in the key space; the value is field `a`. */
export const Slru = { xact: 0, multixactMembers: 1, multixactOffsets: 2 } as const
export type Slru = (typeof Slru)[keyof typeof Slru]

export interface KeyFields {
  readonly kind: number
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
  readonly e: number
}

/** One reusable key. Every method returns the same bytes: valid until the next call. */
export class KeyScratch {
  readonly bytes = new Uint8Array(KEY_BYTES)
  readonly #view = new DataView(this.bytes.buffer)

  relationBlock(spcOid: number, dbOid: number, relNumber: number, fork: number, block: number): Uint8Array {
    return this.set(KeyKind.relationBlock, spcOid, dbOid, relNumber, fork, block)
  }

  relationSize(spcOid: number, dbOid: number, relNumber: number, fork: number): Uint8Array {
    return this.set(KeyKind.relationSize, spcOid, dbOid, relNumber, fork, 0)
  }

  relationMap(spcOid: number, dbOid: number): Uint8Array {
    return this.set(KeyKind.relationMap, spcOid, dbOid, 0, 0, 0)
  }

  database(spcOid: number, dbOid: number): Uint8Array {
    return this.set(KeyKind.database, spcOid, dbOid, 0, 0, 0)
  }

  slruPage(slru: Slru, segment: number, page: number): Uint8Array {
    return this.set(KeyKind.slruPage, slru, 0, segment, 0, page)
  }

  slruSegment(slru: Slru, segment: number): Uint8Array {
    return this.set(KeyKind.slruSegment, slru, 0, segment, 0, 0)
  }

  twoPhaseFile(fullXidHigh: number, fullXidLow: number): Uint8Array {
    return this.set(KeyKind.twoPhaseFile, 0, fullXidHigh, fullXidLow, 0, 0)
  }

  /** A key that exists once: cluster state and the journals. */
  single(kind: number): Uint8Array {
    return this.set(kind, 0, 0, 0, 0, 0)
  }

  set(kind: number, a: number, b: number, c: number, d: number, e: number): Uint8Array {
    const view = this.#view
    view.setUint8(0, kind)
    view.setUint32(1, a)
    view.setUint32(5, b)
    view.setUint32(9, c)
    view.setUint8(13, d)
    view.setUint32(14, e)
    return this.bytes
  }
}

/** Reads the key that starts at `offset`. */
export function decodeKey(bytes: Uint8Array, offset = 0): KeyFields {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, KEY_BYTES)
  return {
    kind: view.getUint8(0),
    a: view.getUint32(1),
    b: view.getUint32(5),
    c: view.getUint32(9),
    d: view.getUint8(13),
    e: view.getUint32(14),
  }
}

export function encodeKey(fields: Partial<KeyFields> & { readonly kind: number }): Uint8Array {
  return new KeyScratch().set(fields.kind, fields.a ?? 0, fields.b ?? 0, fields.c ?? 0, fields.d ?? 0, fields.e ?? 0)
}

/** 36 hex digits, as layer names and messages show a key. */
export function formatKey(key: Uint8Array): string {
  let hex = ''
  for (let i = 0; i < KEY_BYTES; i++) hex += key[i]!.toString(16).padStart(2, '0')
  return hex
}

/** True for keys whose values are page changes rather than plain bytes. */
export function isPageKey(key: Uint8Array): boolean {
  return key[0] === KeyKind.relationBlock || key[0] === KeyKind.slruPage
}
