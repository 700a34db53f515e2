import { describe, expect, test } from 'vitest'
import { PAGE_SIZE } from '../postgres/constants.ts'
import {
  initPage,
  LP_DEAD,
  LP_REDIRECT,
  LP_UNUSED,
  linePointer,
  lpFlags,
  lpLength,
  lpOffset,
  maxOffsetNumber,
  PD_HAS_FREE_LINES,
  pageFlags,
  pageLower,
  pageUpper,
  setLinePointer,
  setPageUpper,
} from './page.ts'
import {
  deleteIndexItem,
  deleteIndexItems,
  insertIndexItem,
  overwriteIndexItem,
  repairFragmentation,
  reserveHeapItem,
  truncateLinePointers,
} from './page-items.ts'

/** An index page with items of these lengths, each filled with its number. */
function indexPage(...lengths: number[]): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE)
  initPage(page, 16)
  lengths.forEach((length, i) => {
    insertIndexItem(page, i + 1, new Uint8Array(length).fill(i + 1), 0, length)
  })
  return page
}

function heapPage(...lengths: number[]): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE)
  initPage(page, 0)
  lengths.forEach((length, i) => {
    const at = reserveHeapItem(page, i + 1, length)
    page.fill(i + 1, at, at + length)
  })
  return page
}

/** "fill x length @ distance from the page's end" of each item, in the order of the line pointers. */
function items(page: Uint8Array): string[] {
  return Array.from({ length: maxOffsetNumber(page) }, (_, i) => {
    const pointer = linePointer(page, i + 1)
    const at = lpOffset(pointer)
    return lpLength(pointer) === 0 ? `flags ${lpFlags(pointer)}` : `${page[at]}x${lpLength(pointer)}@${PAGE_SIZE - at}`
  })
}

function offsets(...numbers: number[]): Uint8Array {
  return Uint8Array.from(numbers.flatMap((number) => [number & 255, number >> 8]))
}

function holeIsZero(page: Uint8Array): boolean {
  return page.subarray(pageLower(page), pageUpper(page)).every((byte) => byte === 0)
}

describe('index pages', () => {
  test('items grow down from the special space, 8-aligned; a middle insert moves only line pointers', () => {
    const page = indexPage(16, 12)
    insertIndexItem(page, 2, new Uint8Array(8).fill(9), 0, 8)
    expect(items(page)).toEqual(['1x16@32', '9x8@56', '2x12@48'])
    expect([pageLower(page), PAGE_SIZE - pageUpper(page)]).toEqual([36, 56])
  })

  test('deleting one item closes the gap in data and line pointers', () => {
    const page = indexPage(16, 24, 8)
    deleteIndexItem(page, 2)
    expect(items(page)).toEqual(['1x16@32', '3x8@40'])
    expect(holeIsZero(page)).toBe(true)
  })

  test.each([
    [[2], ['1x16@32', '3x8@40', '4x40@80', '5x16@96']],
    [
      [1, 3],
      ['2x24@40', '4x40@80', '5x16@96'],
    ],
    [
      [1, 2, 4],
      ['3x8@24', '5x16@40'],
    ],
    [[1, 2, 3, 4, 5], []],
  ])('deleting items %j keeps the order of the rest', (deleted, expected) => {
    const page = indexPage(16, 24, 8, 40, 16)
    deleteIndexItems(page, offsets(...deleted), 0, deleted.length)
    expect(items(page)).toEqual(expected)
    expect(holeIsZero(page)).toBe(true)
  })

  test('items not in the order of their line pointers are put in it when three or more go', () => {
    const page = indexPage(16, 24, 8, 40)
    insertIndexItem(page, 1, new Uint8Array(32).fill(7), 0, 32)
    deleteIndexItems(page, offsets(2, 3, 4), 0, 3)
    expect(items(page)).toEqual(['7x32@48', '4x40@88'])
  })

  test.each([
    [8, ['1x16@32', '9x8@40', '3x8@48']],
    [24, ['1x16@32', '9x24@56', '3x8@64']],
    [40, ['1x16@32', '9x40@72', '3x8@80']],
  ])('an item overwritten by one of %i bytes stays where it was; those before it move', (length, expected) => {
    const page = indexPage(16, 24, 8)
    overwriteIndexItem(page, 2, new Uint8Array(length).fill(9), length)
    expect(items(page)).toEqual(expected)
    expect(holeIsZero(page)).toBe(true)
  })

  test('numbers beyond the page, items that do not fit and impossible pointers are corruption', () => {
    const page = indexPage(16, 16)
    expect(() => deleteIndexItem(page, 3)).toThrow(/no such line pointer/)
    expect(() => deleteIndexItems(page, offsets(2, 1, 3), 0, 3)).toThrow(/not on the page/)
    expect(() => insertIndexItem(page, 4, page, 0, 8)).toThrow(/beyond the line pointers/)
    expect(() => insertIndexItem(page, 3, new Uint8Array(8160), 0, 8160)).toThrow(/does not fit/)
    setPageUpper(page, 8190)
    expect(() => insertIndexItem(page, 3, page, 0, 8)).toThrow(/impossible pointers/)
  })
})

describe('heap pages', () => {
  test('a tuple takes a free line pointer or the next one, never one in use', () => {
    const page = heapPage(40, 40)
    expect(() => reserveHeapItem(page, 2, 40)).toThrow(/in use/)
    expect(() => reserveHeapItem(page, 4, 40)).toThrow(/beyond the free line pointers/)
    setLinePointer(page, 1, 0, LP_UNUSED, 0)
    reserveHeapItem(page, 1, 30)
    expect(maxOffsetNumber(page)).toBe(2)
    expect(lpLength(linePointer(page, 1))).toBe(30)
  })

  test('repair closes gaps, keeps redirects and dead pointers, drops free ones at the end and hints at those left', () => {
    const page = heapPage(40, 30, 24, 50, 24)
    setLinePointer(page, 1, 3, LP_REDIRECT, 0)
    setLinePointer(page, 2, 0, LP_UNUSED, 0)
    setLinePointer(page, 4, 0, LP_DEAD, 0)
    setLinePointer(page, 5, 0, LP_UNUSED, 0)
    repairFragmentation(page)
    expect(items(page)).toEqual(['flags 2', 'flags 0', '3x24@24', 'flags 3'])
    expect(pageFlags(page) & PD_HAS_FREE_LINES).toBe(PD_HAS_FREE_LINES)
    expect(holeIsZero(page)).toBe(true)
  })

  test('truncation drops free line pointers at the end but leaves one, and moves no tuple', () => {
    const page = heapPage(40, 40, 40)
    setLinePointer(page, 3, 0, LP_UNUSED, 0)
    truncateLinePointers(page)
    expect(items(page)).toEqual(['1x40@40', '2x40@80'])
    expect(pageFlags(page) & PD_HAS_FREE_LINES).toBe(0)
    setLinePointer(page, 1, 0, LP_UNUSED, 0)
    setLinePointer(page, 2, 0, LP_UNUSED, 0)
    truncateLinePointers(page)
    expect(items(page)).toEqual(['flags 0'])
    expect(pageFlags(page) & PD_HAS_FREE_LINES).toBe(PD_HAS_FREE_LINES)
  })
})
