import type { OrganizationRole } from '../../auth/permission.ts'
import { failure, invalid, type Result, success } from '../../shared/result.ts'

export function checkSlug(slug: string): Result<string> {
  if (/^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$/.test(slug)) return success(slug)
  return invalid('slug', 'must be 1 to 48 lowercase letters, digits and hyphens, with a letter or digit at both ends')
}

export function checkEmail(email: string): Result<string> {
  if (email.length <= 254 && /^[^\s@]+@[^\s@]+$/.test(email)) return success(email.toLowerCase())
  return invalid('email', 'is not a mail address')
}

/** An organization never loses its last owner, and only owners make and unmake owners. */
export function checkRoleChange(change: {
  readonly actorRole: OrganizationRole | 'SYSTEM'
  readonly from: OrganizationRole
  /** Null: the member leaves. */
  readonly to: OrganizationRole | null
  readonly ownerCount: number
}): Result<null> {
  const touchesOwner = change.from === 'OWNER' || change.to === 'OWNER'
  if (touchesOwner && change.actorRole !== 'OWNER' && change.actorRole !== 'SYSTEM')
    return failure('NOT_ALLOWED', 'only an owner may make or unmake an owner')
  if (change.from === 'OWNER' && change.to !== 'OWNER' && change.ownerCount <= 1)
    return failure('CONFLICT', 'the organization needs an owner')
  return success(null)
}

/** 'acme-inc' from 'ACME, Inc.'; empty when nothing is left. */
export function slugFrom(name: string): string {
  return name
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
}
