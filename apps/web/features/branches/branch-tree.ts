/** Branches in the order of a tree: each after its parent, siblings by name, the default branch first. */

export interface TreeBranch {
  readonly id: string
  readonly name: string
  readonly isDefault: boolean
  readonly parent?: { readonly id: string } | null
}

export interface TreeRow<Branch> {
  readonly branch: Branch
  readonly depth: number
}

/** A branch whose parent is not in the list (filtered out, deleted, on a later page) stands as a root. */
export function branchTree<Branch extends TreeBranch>(branches: readonly Branch[]): TreeRow<Branch>[] {
  const known = new Set(branches.map((branch) => branch.id))
  const childrenOf = new Map<string | undefined, Branch[]>()
  for (const branch of branches) {
    const parentId = branch.parent && known.has(branch.parent.id) ? branch.parent.id : undefined
    childrenOf.set(parentId, [...(childrenOf.get(parentId) ?? []), branch])
  }
  const rows: TreeRow<Branch>[] = []
  const visited = new Set<string>()
  const visit = (parentId: string | undefined, depth: number) => {
    for (const branch of (childrenOf.get(parentId) ?? []).toSorted(byDefaultThenName)) {
      if (visited.has(branch.id)) continue
      visited.add(branch.id)
      rows.push({ branch, depth })
      visit(branch.id, depth + 1)
    }
  }
  visit(undefined, 0)
  // Only a cycle, which the API never sends, leaves branches over; they are shown all the same.
  for (const branch of branches) if (!visited.has(branch.id)) rows.push({ branch, depth: 0 })
  return rows
}

function byDefaultThenName(left: TreeBranch, right: TreeBranch): number {
  return Number(right.isDefault) - Number(left.isDefault) || left.name.localeCompare(right.name)
}
