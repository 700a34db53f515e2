import { expect, test } from 'vitest'
import { isCurrent, navigationFor, projectNavigation } from './navigation.ts'

const items = (branch?: string) => projectNavigation('p1', branch).flatMap((group) => group.items)

test('the chosen branch goes along to the pages that look at one branch, and to no other', () => {
  const href = (label: string) => items('br-1').find((item) => item.label === label)?.href
  expect(href('Tables')).toBe('/projects/p1/tables?branch=br-1')
  expect(href('Operations')).toBe('/projects/p1/operations')
})

test('exactly one item is current on every page', () => {
  for (const item of items('br-1')) {
    const path = item.href.split('?')[0] ?? ''
    expect(items('br-1').filter((other) => isCurrent(other, path))).toHaveLength(1)
  }
  expect(
    items()
      .filter((item) => isCurrent(item, '/projects/p1/branches/br-1/diff'))
      .map((item) => item.label),
  ).toEqual(['Branches'])
})

test('no two shortcuts of one place are the same', () => {
  for (const params of [{ project: 'p' }, { org: 'o' }]) {
    const keys = navigationFor(params, undefined).flatMap((group) => group.items.map((item) => item.shortcut))
    expect(new Set(keys).size).toBe(keys.length)
  }
})
