import { expect, test } from 'vitest'
import { compareTables } from './table-changes.ts'

const table = (name: string, ...columns: string[]) => ({
  name,
  columns: columns.map((column) => ({ name: column, type: 'text' })),
})
const catalog = (...tables: ReturnType<typeof table>[]) => ({ schemas: [{ name: 'public', tables }] })

test('a dropped table comes back, a new one goes away, an altered one differs', () => {
  const changes = compareTables(
    catalog(table('dropped', 'a'), table('altered', 'a'), table('kept', 'a')),
    catalog(table('altered', 'a', 'b'), table('kept', 'a'), table('added', 'a')),
  )
  expect(changes.map((row) => [row.key, row.change])).toEqual([
    ['public.added', 'only-now'],
    ['public.altered', 'changed'],
    ['public.dropped', 'only-then'],
    ['public.kept', 'same'],
  ])
})

test('while the present is not known, nothing is called changed', () => {
  expect(compareTables(catalog(table('a', 'x')), undefined)[0]?.change).toBe('same')
})
