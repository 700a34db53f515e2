import type { TestStack } from './test-stack.ts'

/**
 * What must hold when no operation is under way: catalog, storage and computes agree, and nothing is left over. Returns
 * what does not hold.
 */
export async function findDisagreements(stack: TestStack): Promise<string[]> {
  const problems: string[] = []
  const projects = await stack.sql(`SELECT id, "storageId" FROM "Project" WHERE "deletedAt" IS NULL`)
  const branches = await stack.sql(`SELECT id, "projectId", "timelineId", state, "parentId" FROM "Branch"`)
  const endpoints = await stack.sql(`SELECT id, "branchId", state, "desiredState", "computeId" FROM "Endpoint"`)
  const snapshots = await stack.sql(`SELECT "timelineId" FROM "Snapshot"`)
  const hidden = await stack.sql(`SELECT "timelineId" FROM "HiddenTimeline"`)
  const known = new Set([...branches, ...snapshots, ...hidden].map((row) => row['timelineId']))

  const stored = new Set(stack.engine.projects.keys())
  for (const project of projects) {
    if (!stored.delete(String(project['storageId']))) problems.push(`project ${project['id']} has no storage`)
  }
  for (const left of stored) problems.push(`storage of no project: ${left}`)

  const timelines = new Set([...stack.engine.projects.values()].flatMap((project) => [...project.keys()]))
  for (const branch of branches) {
    if (!timelines.has(String(branch['timelineId']))) problems.push(`branch ${branch['id']} has no timeline`)
    if (branch['state'] !== 'READY') problems.push(`branch ${branch['id']} is ${branch['state']}`)
    if (branch['parentId'] !== null && !branches.some(({ id }) => id === branch['parentId']))
      problems.push(`branch ${branch['id']} has a parent that is gone`)
  }
  for (const timeline of timelines) if (!known.has(timeline)) problems.push(`timeline of nobody: ${timeline}`)

  const running = stack.engine.runningComputes()
  for (const endpoint of endpoints) {
    const compute = running.find(({ computeId }) => computeId === endpoint['computeId'])
    const branch = branches.find(({ id }) => id === endpoint['branchId'])
    const wanted = endpoint['desiredState'] === 'RUNNING'
    if (wanted && !compute) problems.push(`endpoint ${endpoint['id']} should run and does not`)
    if (!wanted && compute) problems.push(`endpoint ${endpoint['id']} should not run`)
    if (wanted && endpoint['state'] !== 'ACTIVE') problems.push(`endpoint ${endpoint['id']} is ${endpoint['state']}`)
    if (compute && compute.timelineId !== branch?.['timelineId'])
      problems.push(`endpoint ${endpoint['id']} serves another timeline than its branch`)
  }
  for (const compute of running) {
    if (!endpoints.some((endpoint) => endpoint['computeId'] === compute.computeId))
      problems.push(`compute of nobody: ${compute.computeId}`)
    const rivals = running.filter((other) => other.timelineId === compute.timelineId && other.kind === 'primary')
    if (rivals.length > 1) problems.push(`two primaries on timeline ${compute.timelineId}`)
  }
  return problems
}

/** The reconciler may still be about to act: waits a while for agreement. */
export async function waitForAgreement(stack: TestStack, ms = 15_000): Promise<string[]> {
  const deadline = Date.now() + ms
  while (true) {
    await stack.waitForOperations()
    const problems = await findDisagreements(stack)
    if (problems.length === 0 || Date.now() > deadline) return problems
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
