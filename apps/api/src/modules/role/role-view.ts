import type { Role } from '../../generated/prisma/client.ts'

/** A role as the public document has it; the password only when it was made in this call. */
export function roleView(role: Role, password: string | null = null) {
  return {
    branch_id: role.branchId,
    name: role.name,
    ...(password === null ? {} : { password }),
    protected: role.isProtected,
    authentication_method: 'password',
    created_at: role.createdAt.toISOString(),
    updated_at: role.updatedAt.toISOString(),
  }
}
