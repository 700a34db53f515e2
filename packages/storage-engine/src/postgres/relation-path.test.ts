import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Fork } from './relation.ts'
import { formatRelationPath, parseRelationPath } from './relation-path.ts'

const oid = fc.integer({ min: 1, max: 0xffff_ffff })

test('every relation segment has one path, which parses back to it', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.constant(1663), fc.constant(1664), oid),
      oid,
      oid,
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 32767 }),
      (spcOid, database, relNumber, fork, segment) => {
        const dbOid = spcOid === 1664 ? 0 : database
        const relation = { spcOid, dbOid, relNumber, fork: fork as Fork }
        expect(parseRelationPath(formatRelationPath(relation, segment))).toEqual({ ...relation, segment })
      },
    ),
  )
})

test.each([
  '16384',
  'base/16384',
  'base/5/PG_VERSION',
  'base/5/pg_filenode.map',
  'base/5/pg_internal.init',
  'base/5/t3_16384',
  'base/5/016384',
  'base/5/16384_foo',
  'base/5/16384.0',
  'base/5/16384.01',
  'base/5/16384.1_fsm',
  'base/5/99999999999',
  'base/4294967296/1',
  'base/5/6/7',
  'global/',
  'pg_tblspc/16400/PG_17_202406281/5/16384',
  'pg_xact/0000',
  '',
])('%j names no relation', (path) => {
  expect(parseRelationPath(path)).toBeUndefined()
})
