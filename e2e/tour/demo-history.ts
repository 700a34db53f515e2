import { setTimeout as sleep } from 'node:timers/promises'
import { demoPlace } from '../fixtures/demo.ts'
import { ownerGraphql } from '../fixtures/graphql.ts'
import type { TourPlace } from './scenes.ts'

const WAIT_MS_MAX = 90_000

interface DemoState {
  project: {
    branches: { nodes: { id: string }[] }
    endpoints: { id: string; state: string; failovers: { id: string }[] }[]
  }
}

/** Where to go in the demo project. With `withFailover` its compute has been failed over, for real, unless that was done before. */
export async function tourPlace(withFailover: boolean): Promise<TourPlace> {
  const place = await demoPlace()
  const state = async () =>
    (
      await ownerGraphql<DemoState>(
        `query ($id: ID!) { project(id: $id) {
          branches(first: 10) { nodes { id } } endpoints { id state failovers(first: 1) { id } }
        } }`,
        { id: place.projectId },
      )
    ).project
  const first = await state()
  const endpointOf = (project: DemoState['project']) => project.endpoints.find(({ id }) => id === place.endpointId)
  if (withFailover && endpointOf(first)?.failovers.length === 0) {
    await ownerGraphql('mutation ($id: ID!) { failoverEndpoint(id: $id) { error { message } } }', {
      id: place.endpointId,
    })
    const deadlineMs = Date.now() + WAIT_MS_MAX
    while (endpointOf(await state())?.failovers.length === 0) {
      if (Date.now() > deadlineMs) throw new Error('the failover of the demo project leaves no report')
      await sleep(500)
    }
  }
  const child = first.branches.nodes.find(({ id }) => id !== place.branchId)
  return { ...place, childBranchId: child?.id ?? place.branchId }
}
