import type { OrganizationRole } from '../gql/graphql.ts'

/** The roles of an organization, from most to least, and what each may do. */
export const roleText: Record<OrganizationRole, { label: string; hint: string }> = {
  OWNER: { label: 'Owner', hint: 'Everything, with members, keys and deletion' },
  ADMIN: { label: 'Admin', hint: 'Everything but removing owners' },
  MEMBER: { label: 'Member', hint: 'Creates and changes projects and branches' },
  VIEWER: { label: 'Viewer', hint: 'Looks, and changes nothing' },
}

export const roleOptions = (['OWNER', 'ADMIN', 'MEMBER', 'VIEWER'] as const).map((value) => ({
  value,
  label: roleText[value].label,
}))

/** Sees and changes members, keys and the audit log of an organization. */
export function managesOrganization(role: OrganizationRole | undefined): boolean {
  return role === 'OWNER' || role === 'ADMIN'
}
