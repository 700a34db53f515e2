import type { Transaction } from '../db/database.ts'

/** Roles and databases of one branch for another that descends from it. */
export async function copyConfig(tx: Transaction, fromBranchId: string, toBranchId: string): Promise<void> {
  const roles = await tx.role.findMany({ where: { branchId: fromBranchId } })
  const databases = await tx.database.findMany({ where: { branchId: fromBranchId } })
  await tx.role.createMany({
    data: roles.map(({ name, verifier, passwordSealed, isProtected, createdAt }) => ({
      branchId: toBranchId,
      name,
      verifier,
      passwordSealed,
      isProtected,
      createdAt,
      isApplied: false,
    })),
  })
  await tx.database.createMany({
    data: databases.map(({ name, ownerName, createdAt }) => ({
      branchId: toBranchId,
      name,
      ownerName,
      createdAt,
      isApplied: true,
    })),
  })
}
