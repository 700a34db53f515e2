import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { waitForAgreement } from './support/catalog-invariants.ts'
import { ProjectUnderTest, until } from './support/project-under-test.ts'

/** Operations that are called off, and told of: the API as a process over a real catalog, with a stand-in for the engine. */
let project: ProjectUnderTest

beforeAll(async () => {
  project = await ProjectUnderTest.start()
}, 180_000)
afterAll(() => project.stack.stop(), 60_000)

describe('an operation', () => {
  const operations = async () => {
    const { project: found } = await project.stack.ask(
      `{ project(id: "${project.projectId}") { operations(first: 5) { nodes { id kind state error viewerCanCancel } } } }`,
    )
    return found.operations.nodes as { id: string; kind: string; state: string; viewerCanCancel: boolean }[]
  }
  const named = async (kind: string) => (await operations()).find((operation) => operation.kind === kind)!

  test('that waits for its turn is cancelled, with an audit entry: what it was for stays as if nobody had asked', async () => {
    const release = project.stack.engine.holdBranches()
    const branchId = await project.createBranch('name: "slow"')
    await until(async () => (await named('create_branch')).state === 'RUNNING')
    const [running, waiting] = [await named('create_branch'), await named('create_compute')]
    expect([running.viewerCanCancel, waiting.viewerCanCancel]).toEqual([false, true])
    expect(await project.refusal(`cancelOperation(id: "${running.id}")`)).toBe(
      'CONFLICT the operation runs already and cannot be cancelled; it ends by itself',
    )
    const cancelled = await project.change(`cancelOperation(id: "${waiting.id}")`, 'operations { id kind state }')
    expect(cancelled).toEqual({
      operations: [{ id: waiting.id, kind: 'create_compute', state: 'CANCELLED' }],
      error: null,
    })
    expect((await project.auditOf('operation.cancel'))[0]).toMatchObject({
      subject: 'create_compute',
      detail: { id: waiting.id },
    })
    expect(await project.refusal(`cancelOperation(id: "${waiting.id}")`)).toBe(
      'CONFLICT the operation has ended: it is CANCELLED',
    )
    release()
    await project.stack.waitForOperations()
    const [endpoint] = await project.stack.sql('SELECT state, "desiredState" FROM "Endpoint" WHERE "branchId" = $1', [
      branchId,
    ])
    expect(endpoint).toEqual({ state: 'IDLE', desiredState: 'SUSPENDED' })
    expect(await waitForAgreement(project.stack)).toEqual([])
  })

  test('to delete a project that waits is cancelled: the project is there as before', async () => {
    const release = project.stack.engine.holdBranches()
    await project.createBranch('name: "slower", withEndpoint: false')
    await until(async () => (await named('create_branch')).state === 'RUNNING')
    await project.change(`deleteProject(id: "${project.projectId}")`)
    const waiting = await named('delete_project')
    expect((await project.change(`cancelOperation(id: "${waiting.id}")`, 'operations { state }')).operations).toEqual([
      { state: 'CANCELLED' },
    ])
    release()
    await project.stack.waitForOperations()
    expect(await project.stack.sql('SELECT state FROM "Project"')).toEqual([{ state: 'READY' }])
    expect(await waitForAgreement(project.stack)).toEqual([])
  })

  test('cancelled while the API dies is cancelled after its restart', async () => {
    const release = project.stack.engine.holdBranches()
    await project.createBranch('name: "crashing"')
    await until(async () => (await named('create_branch')).state === 'RUNNING')
    const waiting = await named('create_compute')
    await project.stack.killApi()
    await project.stack.sql(`UPDATE "Operation" SET "cancelledBy" = 'ann' WHERE id = $1`, [waiting.id])
    release()
    await project.stack.startApi()
    await project.stack.waitForOperations()
    expect(await named('create_compute')).toMatchObject({ state: 'CANCELLED', error: 'cancelled by ann' })
    expect(await waitForAgreement(project.stack)).toEqual([])
  })

  test('is told to a subscriber until its end', async () => {
    const client = createClient({
      url: `${project.stack.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${project.stack.ownerKey}` },
      retryAttempts: 0,
    })
    const query = `subscription { operationChanged(projectId: "${project.projectId}") { kind state steps { name state } } }`
    const ended = (async () => {
      for await (const { data } of client.iterate({ query })) {
        const changed = data?.['operationChanged'] as { kind: string; state: string; steps: unknown[] }
        if (changed.state === 'FINISHED') return changed
      }
      return undefined
    })()
    // The subscription may begin after a restart's end: restarts until one is heard of.
    let heard: { kind: string; steps: unknown[] } | undefined
    while (!heard) {
      await project.change(`restartEndpoint(id: "${project.endpointId}")`)
      await project.stack.waitForOperations()
      heard = await Promise.race([
        ended,
        new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 500)),
      ])
    }
    expect(heard.kind).toBe('restart_compute')
    expect(heard.steps).toContainEqual({ name: 'start', state: 'FINISHED' })
    await client.dispose()
  })
})
