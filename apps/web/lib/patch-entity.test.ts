import { describe, expect, test } from 'vitest'
import { containsEntity, patchEntity } from './patch-entity.ts'

const page = {
  project: {
    id: 'p1',
    branches: [
      { id: 'b1', name: 'main', tip: { lsn: '0/10', commitTime: null } },
      { id: 'b2', name: 'dev', tip: { lsn: '0/20', commitTime: null } },
    ],
  },
}

describe('a live update reaches every copy of its object', () => {
  test('fields that were asked for change, others are not added', () => {
    const next = patchEntity(page, { id: 'b1', tip: { lsn: '0/30' }, extra: true } as { id: string })
    expect(next.project.branches[0]).toEqual({ id: 'b1', name: 'main', tip: { lsn: '0/30', commitTime: null } })
  })

  test('what did not change keeps its identity', () => {
    const next = patchEntity(page, { id: 'b1', tip: { lsn: '0/30' } } as { id: string })
    expect(next.project.branches[1]).toBe(page.project.branches[1])
    expect(patchEntity(page, { id: 'b1', tip: { lsn: '0/10' } } as { id: string })).toBe(page)
    expect(patchEntity(page, { id: 'unknown' })).toBe(page)
  })

  test('another object in the same field replaces the old one', () => {
    const endpoint = { id: 'e', compute: { id: 'c1', term: 1 } }
    expect(patchEntity(endpoint, { id: 'e', compute: { id: 'c2', term: 2 } } as { id: string }).compute.term).toBe(2)
    expect(patchEntity(endpoint, { id: 'e', compute: null } as { id: string }).compute).toBeNull()
  })

  test('lists are replaced, not merged', () => {
    const operation = { id: 'o', steps: [{ name: 'a', state: 'RUNNING' }] }
    const fresh = {
      id: 'o',
      steps: [
        { name: 'a', state: 'FINISHED' },
        { name: 'b', state: 'RUNNING' },
      ],
    }
    expect(patchEntity(operation, fresh).steps).toHaveLength(2)
  })

  test('an object is found at any depth', () => {
    expect(containsEntity(page, 'b2')).toBe(true)
    expect(containsEntity(page, 'b3')).toBe(false)
  })
})
