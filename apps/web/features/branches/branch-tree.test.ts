import { expect, test } from 'vitest'
import { branchTree } from './branch-tree.ts'

const branch = (id: string, parent?: string, isDefault = false) => ({
  id,
  name: id,
  isDefault,
  parent: parent ? { id: parent } : null,
})

const shape = (rows: ReturnType<typeof branchTree>) => rows.map((row) => `${'-'.repeat(row.depth)}${row.branch.name}`)

test('every branch stands after its parent, one step deeper', () => {
  const rows = branchTree([
    branch('b', 'a'),
    branch('d'),
    branch('c', 'b'),
    branch('a', undefined, true),
    branch('aa', 'a'),
  ])
  expect(shape(rows)).toEqual(['a', '-aa', '-b', '--c', 'd'])
})

test('no branch is lost when its parent is not in the list, or in a cycle', () => {
  expect(shape(branchTree([branch('x', 'gone')]))).toEqual(['x'])
  expect(branchTree([branch('p', 'q'), branch('q', 'p')])).toHaveLength(2)
})
