import type { Database } from '../../generated/prisma/client.ts'

export function databaseView(database: Database) {
  return {
    id: database.id,
    branch_id: database.branchId,
    name: database.name,
    owner_name: database.ownerName,
    created_at: database.createdAt.toISOString(),
    updated_at: database.updatedAt.toISOString(),
  }
}
