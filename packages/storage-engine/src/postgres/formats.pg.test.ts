import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PostgresFixture, startPostgres } from '../../test/postgres-fixture.ts'
import { CorruptionError } from '../base/errors.ts'
import { PAGE_SIZE } from './constants.ts'
import { DatabaseState, decodeControlFile, encodeControlFile } from './control-file.ts'
import { Lsn } from './lsn.ts'
import { computePageChecksum } from './page-checksum.ts'
import { hasPlausiblePageHeader, isNewPage, readPageChecksum, readPageLsn } from './page-header.ts'
import { formatRelationPath, parseRelationPath } from './relation-path.ts'
import { decodeRelmap, encodeRelmap } from './relmap.ts'
import {
  clogPage,
  formatSlruSegmentName,
  multixactMemberPage,
  multixactMemberXidByte,
  multixactOffsetByte,
  multixactOffsetPage,
  readClogStatus,
  SLRU_DIRECTORY,
  type SlruKind,
  slruPageInSegment,
  slruSegment,
  XidStatus,
} from './slru.ts'
import { decodeTwoPhaseFile, decodeTwoPhaseState, encodeTwoPhaseFile, parseTwoPhaseFileName } from './two-phase.ts'
import { readVmBits, VisibilityBit, vmPage } from './visibility-map.ts'
import { xidOfFullXid } from './xid.ts'

/** The layouts of src/postgres/ against the files of a real server that was stopped cleanly. */
let postgres: PostgresFixture
let committedXid = 0
let abortedXid = 0
let multixact = 0
let lockerXids: number[] = []
let preparedXid = 0
let visibility: { block: number; bits: number }[] = []
const paths: { path: string; relNumber: number; dbOid: number; spcOid: number }[] = []

beforeAll(async () => {
  postgres = await startPostgres({ dataChecksums: true, settings: { max_prepared_transactions: 5, autovacuum: 'off' } })
  await postgres.query('create extension pg_visibility')
  await postgres.query(`create table rows (id int primary key, t text)`)
  await postgres.query(`insert into rows select g, md5(g::text) from generate_series(1, 30000) g`)
  await postgres.query('vacuum (freeze) rows')
  await postgres.query('update rows set t = t where id = 12000')
  await takeXids()
  await lockTogether()
  const client = await postgres.connect()
  await client.query('begin')
  await client.query('create table made_by_prepared (i int)')
  await client.query('savepoint inner_part')
  await client.query('insert into made_by_prepared values (1)')
  preparedXid = Number((await client.query('select pg_current_xact_id()::text as xid')).rows[0].xid)
  await client.query(`prepare transaction 'a gid of odd length'`)
  await client.end()
  const map = await postgres.query<{ blkno: string; all_visible: boolean; all_frozen: boolean }>(
    `select blkno::text, all_visible, all_frozen from pg_visibility_map('rows')`,
  )
  visibility = map.map((row) => ({
    block: Number(row.blkno),
    bits: (row.all_visible ? VisibilityBit.allVisible : 0) | (row.all_frozen ? VisibilityBit.allFrozen : 0),
  }))
  const relations = await postgres.query<{ path: string; rel: string; db: string; spc: string }>(
    `select pg_relation_filepath(c.oid) as path, pg_relation_filenode(c.oid)::text as rel,
       case when c.relisshared then '0' else d.oid::text end as db,
       case when c.reltablespace = 0 then d.dattablespace::text else c.reltablespace::text end as spc
     from pg_class c, pg_database d where d.datname = current_database() and pg_relation_filepath(c.oid) is not null`,
  )
  for (const row of relations) {
    paths.push({ path: row.path, relNumber: Number(row.rel), dbOid: Number(row.db), spcOid: Number(row.spc) })
  }
  await postgres.stop('fast')
})

afterAll(async () => {
  await postgres?.cleanup()
})

test('pg_control decodes to what the server says and encodes to the same bytes', () => {
  const bytes = read('global/pg_control')
  const control = decodeControlFile(bytes)
  expect(control).toMatchObject({
    state: DatabaseState.shutDown,
    blockSize: 8192,
    walSegmentSize: 16777216,
    maxPreparedTransactions: 5,
    maxConnections: 100,
    dataChecksumVersion: 1,
    float8ByValue: true,
    defaultCharSigned: true,
    floatFormat: 1234567,
  })
  expect(control.checkpoint.redoLsn).toBe(control.checkpointLsn)
  expect(xidOfFullXid(control.checkpoint.nextFullXid)).toBeGreaterThan(abortedXid)
  expect(control.checkpoint.nextMultixact).toBeGreaterThan(multixact)
  expect(Buffer.from(encodeControlFile(control)).equals(bytes)).toBe(true)
})

test('a pg_control with any flipped bit, a short one and one of another version are refused', () => {
  const bytes = read('global/pg_control')
  for (let offset = 12; offset < 296; offset++) {
    const flipped = Uint8Array.from(bytes)
    flipped[offset]! ^= 1 << (offset % 8)
    expect(() => decodeControlFile(flipped)).toThrow(CorruptionError)
  }
  expect(() => decodeControlFile(bytes.subarray(0, 290))).toThrow(CorruptionError)
  const other = Uint8Array.from(bytes)
  other[8]! ^= 1
  expect(() => decodeControlFile(other)).toThrow('another postgres version')
})

test('relation maps decode, and encode to the same bytes', () => {
  const files = ['global/pg_filenode.map', ...databases().map((name) => `base/${name}/pg_filenode.map`)]
  for (const file of files) {
    const bytes = read(file)
    const mappings = decodeRelmap(bytes)
    expect(mappings.length).toBeGreaterThan(5)
    expect(Buffer.from(encodeRelmap(mappings)).equals(bytes)).toBe(true)
    const flipped = Uint8Array.from(bytes)
    flipped[100]! ^= 1
    expect(() => decodeRelmap(flipped)).toThrow(CorruptionError)
  }
})

test('every page of every relation has the checksum and header that the server gave it', () => {
  let pages = 0
  for (const relation of paths) {
    for (const suffix of ['', '_fsm', '_vm']) {
      const file = path.join(postgres.dataDir, relation.path + suffix)
      if (!fs.existsSync(file)) continue
      const bytes = fs.readFileSync(file)
      for (let block = 0; block < bytes.length / PAGE_SIZE; block++) {
        const page = bytes.subarray(block * PAGE_SIZE, (block + 1) * PAGE_SIZE)
        if (isNewPage(page)) continue
        expect(readPageChecksum(page)).toBe(computePageChecksum(page, block))
        expect(hasPlausiblePageHeader(page)).toBe(true)
        expect(readPageLsn(page)).toBeLessThanOrEqual(Lsn.parse('1/0'))
        pages++
      }
    }
  }
  expect(pages).toBeGreaterThan(1000)
})

test('a page checksum does not depend on where the page lies in memory', () => {
  const page = read(
    paths.find((relation) => fs.statSync(path.join(postgres.dataDir, relation.path)).size > 0)!.path,
  ).subarray(0, PAGE_SIZE)
  const shifted = new Uint8Array(PAGE_SIZE + 1)
  shifted.set(page, 1)
  expect(computePageChecksum(shifted.subarray(1), 7)).toBe(computePageChecksum(Uint8Array.from(page), 7))
})

test('relation paths are those of the server, both ways', () => {
  expect(paths.length).toBeGreaterThan(200)
  for (const { path: text, relNumber, dbOid, spcOid } of paths) {
    expect(formatRelationPath({ spcOid, dbOid, relNumber, fork: 0 })).toBe(text)
    expect(parseRelationPath(`${text}_vm.3`)).toEqual({ spcOid, dbOid, relNumber, fork: 2, segment: 3 })
  }
})

test('transaction status stands in pg_xact where the layout says', () => {
  expect(readClogStatus(slruPage('clog', clogPage(committedXid)), committedXid)).toBe(XidStatus.committed)
  expect(readClogStatus(slruPage('clog', clogPage(abortedXid)), abortedXid)).toBe(XidStatus.aborted)
  expect(readClogStatus(slruPage('clog', clogPage(preparedXid)), preparedXid)).toBe(XidStatus.inProgress)
})

test('members of a multixact stand in pg_multixact where the layout says', () => {
  const offsets = slruPage('multixact-offsets', multixactOffsetPage(multixact))
  const first = offsets.readUInt32LE(multixactOffsetByte(multixact))
  const end = offsets.readUInt32LE(multixactOffsetByte(multixact + 1))
  expect(first).toBeGreaterThan(0)
  expect(end - first).toBe(lockerXids.length)
  const members = lockerXids.map((_, index) =>
    slruPage('multixact-members', multixactMemberPage(first + index)).readUInt32LE(
      multixactMemberXidByte(first + index),
    ),
  )
  expect(members.sort()).toEqual([...lockerXids].sort())
})

test('visibility bits stand in the map where the layout says', () => {
  const relation = paths.find(
    (candidate) => candidate.path.startsWith('base/') && hasVm(candidate.path, visibility.length),
  )!
  const map = read(`${relation.path}_vm`)
  const bits = visibility.map(({ block }) => ({
    block,
    bits: readVmBits(map.subarray(vmPage(block) * PAGE_SIZE, (vmPage(block) + 1) * PAGE_SIZE), block),
  }))
  expect(bits).toEqual(visibility)
  expect(bits.some((entry) => entry.bits === 0)).toBe(true)
  expect(bits.some((entry) => entry.bits === 3)).toBe(true)
})

test('a two-phase file decodes, and encodes to the same bytes', () => {
  const [name] = fs.readdirSync(path.join(postgres.dataDir, 'pg_twophase'))
  const file = read(`pg_twophase/${name}`)
  expect(xidOfFullXid(parseTwoPhaseFileName(name!)!)).toBe(preparedXid)
  const mainData = decodeTwoPhaseFile(file)
  const state = decodeTwoPhaseState(mainData)
  expect(state).toMatchObject({ xid: preparedXid, gid: 'a gid of odd length' })
  expect([...state.subxids]).toEqual([preparedXid + 1])
  expect(state.abortRelations.map((relation) => relation.spcOid)).toEqual([1663])
  expect(Buffer.from(encodeTwoPhaseFile(mainData)).equals(file)).toBe(true)
  const flipped = Uint8Array.from(file)
  flipped[80]! ^= 4
  expect(() => decodeTwoPhaseFile(flipped)).toThrow(CorruptionError)
})

function read(name: string): Buffer {
  return fs.readFileSync(path.join(postgres.dataDir, name))
}

function databases(): string[] {
  return fs.readdirSync(path.join(postgres.dataDir, 'base'))
}

/** True for the relation of that many blocks that has a visibility map: `rows`. */
function hasVm(relationPath: string, blockCount: number): boolean {
  const file = path.join(postgres.dataDir, relationPath)
  return fs.existsSync(`${file}_vm`) && fs.statSync(file).size === blockCount * PAGE_SIZE
}

function slruPage(kind: SlruKind, page: number): Buffer {
  const segment = read(`${SLRU_DIRECTORY[kind]}/${formatSlruSegmentName(slruSegment(page))}`)
  return segment.subarray(slruPageInSegment(page) * PAGE_SIZE, (slruPageInSegment(page) + 1) * PAGE_SIZE)
}

async function takeXids(): Promise<void> {
  const client = await postgres.connect()
  await client.query('begin')
  abortedXid = Number((await client.query('select pg_current_xact_id()::text as xid')).rows[0].xid)
  await client.query('insert into rows values (-1)')
  await client.query('rollback')
  await client.query('begin')
  committedXid = Number((await client.query('select pg_current_xact_id()::text as xid')).rows[0].xid)
  await client.query('insert into rows values (-2)')
  await client.query('commit')
  await client.end()
}

async function lockTogether(): Promise<void> {
  const clients = await Promise.all([postgres.connect(), postgres.connect(), postgres.connect()])
  lockerXids = []
  for (const client of clients) {
    await client.query('begin')
    lockerXids.push(Number((await client.query('select pg_current_xact_id()::text as xid')).rows[0].xid))
    await client.query('select * from rows where id = 5 for key share')
  }
  multixact = Number((await postgres.query<{ xmax: string }>('select xmax::text from rows where id = 5'))[0]!.xmax)
  for (const client of clients) {
    await client.query('commit')
    await client.end()
  }
}
