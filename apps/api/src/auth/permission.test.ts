import { expect, test } from 'vitest'
import { type Action, type Actor, can, type OrganizationRole } from './permission.ts'

const person = (role: OrganizationRole): Actor => ({
  kind: 'user',
  userId: 'u',
  name: 'u',
  email: 'u@example.com',
  isOperator: false,
  roles: new Map([['org-a', role]]),
})
const key = (more: object): Actor => ({
  ...(person('OWNER') as Extract<Actor, { kind: 'user' }>),
  kind: 'api-key',
  keyId: 'k',
  keyName: 'k',
  organizationId: null,
  projectId: null,
  isReadOnly: false,
  ...more,
})
const own = { organizationId: 'org-a', projectId: 'p' }
const actions: readonly Action[] = [
  'project.view',
  'project.write',
  'project.delete',
  'project.create',
  'organization.manage-members',
]

test('each role may do what it says and no more', () => {
  const allowed = (role: OrganizationRole) => actions.filter((action) => can(person(role), action, own))
  expect(allowed('OWNER')).toEqual(actions)
  expect(allowed('ADMIN')).toEqual(actions)
  expect(allowed('MEMBER')).toEqual(['project.view', 'project.write', 'project.create'])
  expect(allowed('VIEWER')).toEqual(['project.view'])
})

test('nobody may do anything in an organization of others', () => {
  for (const action of actions)
    expect(can(person('OWNER'), action, { organizationId: 'org-b', projectId: 'q' })).toBe(false)
})

test('a key of a project reaches that project alone, and not its organization', () => {
  const limited = key({ organizationId: 'org-a', projectId: 'p' })
  expect(can(limited, 'project.write', own)).toBe(true)
  expect(can(limited, 'project.view', { organizationId: 'org-a', projectId: 'q' })).toBe(false)
  expect(can(limited, 'organization.view', { organizationId: 'org-a' })).toBe(false)
  expect(can(limited, 'project.create', { organizationId: 'org-a' })).toBe(false)
})

test('a key that may read changes nothing and reveals nothing', () => {
  const reader = key({ isReadOnly: true })
  expect(can(reader, 'project.view', own)).toBe(true)
  for (const action of ['project.write', 'project.delete', 'project.reveal-password', 'project.manage-keys'] as const)
    expect(can(reader, action, own)).toBe(false)
})

test('only operators see the processes of the system', () => {
  expect(can(person('OWNER'), 'stack.view')).toBe(false)
  expect(can({ ...(person('OWNER') as Extract<Actor, { kind: 'user' }>), isOperator: true }, 'stack.operate')).toBe(
    true,
  )
})
