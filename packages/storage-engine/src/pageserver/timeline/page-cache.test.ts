import { expect, test } from 'vitest'
import { PAGE_SIZE } from '../../postgres/constants.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { PAGE_CACHE_PAGES_MIN, PageCache } from './page-cache.ts'

const pageOf = (byte: number) => new Uint8Array(PAGE_SIZE).fill(byte)

function read(cache: PageCache, name: string, lsn: number): number | undefined {
  if (!cache.touch(name, Lsn.of(lsn))) return undefined
  const target = new Uint8Array(2 * PAGE_SIZE)
  cache.copy(name, target, PAGE_SIZE)
  expect(target.subarray(0, PAGE_SIZE).every((byte) => byte === 0)).toBe(true)
  const first = target[PAGE_SIZE]!
  expect(target.subarray(PAGE_SIZE).every((byte) => byte === first)).toBe(true)
  return first
}

test('a page answers only at LSNs between its version and where it was read', () => {
  const cache = new PageCache(PAGE_CACHE_PAGES_MIN)
  cache.set('a', Lsn.of(100), Lsn.of(200), pageOf(1))
  expect([99, 100, 150, 200, 201].map((lsn) => read(cache, 'a', lsn))).toEqual([undefined, 1, 1, 1, undefined])
  cache.set('a', Lsn.of(250), Lsn.of(300), pageOf(2))
  expect([200, 250, 300].map((lsn) => read(cache, 'a', lsn))).toEqual([undefined, 2, 2])
})

test('the page is a copy: later writes to the source do not show', () => {
  const cache = new PageCache(PAGE_CACHE_PAGES_MIN)
  const source = pageOf(1)
  cache.set('a', Lsn.of(1), Lsn.of(1), source)
  source.fill(9)
  expect(read(cache, 'a', 1)).toBe(1)
})

test('least recently used goes first, and every page that is left keeps its own bytes', () => {
  const cache = new PageCache(300)
  for (let i = 0; i < 300; i++) cache.set(`${i}`, Lsn.of(1), Lsn.of(1), pageOf(i % 251))
  expect(read(cache, '0', 1)).toBe(0)
  for (let i = 300; i < 400; i++) cache.set(`${i}`, Lsn.of(1), Lsn.of(1), pageOf(i % 251))
  for (let i = 1; i <= 100; i++) expect(read(cache, `${i}`, 1)).toBeUndefined()
  expect(read(cache, '0', 1)).toBe(0)
  for (let i = 101; i < 400; i++) expect(read(cache, `${i}`, 1)).toBe(i % 251)
})
