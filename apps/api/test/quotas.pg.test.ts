import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { waitForAgreement } from './support/catalog-invariants.ts'
import { ProjectUnderTest, until } from './support/project-under-test.ts'

/** What a project and an endpoint may use, and what becomes of them when it is used up or not used: the API as a process over a real catalog, with a stand-in for the engine. */
let project: ProjectUnderTest

beforeAll(async () => {
  project = await ProjectUnderTest.start()
}, 180_000)
afterAll(() => project.stack.stop(), 60_000)

describe('quotas of a project', () => {
  const setQuotas = (quotas: string) =>
    project.change(
      `updateProject(id: "${project.projectId}", input: { quotas: { ${quotas} } })`,
      'project { quotas { branches } }',
    )

  test('are set, shown, lifted by null or 0, left alone when not named, and noted in the audit log', async () => {
    const quotas = async () =>
      (
        await project.stack.ask(
          `{ project(id: "${project.projectId}") { quotas { branches storageBytes computeSeconds writtenBytes } } }`,
        )
      ).project.quotas
    await setQuotas('branches: 3, storageBytes: "9007199254740993", computeSeconds: 10, writtenBytes: "5"')
    const all = { branches: 3, storageBytes: '9007199254740993', computeSeconds: 10, writtenBytes: '5' }
    expect(await quotas()).toEqual(all)
    await setQuotas('writtenBytes: "6"')
    expect(await quotas()).toEqual({ ...all, writtenBytes: '6' })
    await setQuotas('branches: null, storageBytes: "0", computeSeconds: null, writtenBytes: null')
    expect(await quotas()).toEqual({ branches: null, storageBytes: null, computeSeconds: null, writtenBytes: null })
    expect((await project.auditOf('project.update'))[0]).toMatchObject({
      subject: 'changes',
      detail: {
        fields: ['quotaBranches', 'quotaStorageBytes', 'quotaComputeSeconds', 'quotaWrittenBytes'],
      },
    })
  })

  test.each([
    ['branches: -1', 'quotas.branches: must not be negative'],
    ['computeSeconds: -1', 'quotas.computeSeconds: must not be negative'],
    ['storageBytes: "9223372036854775807"', 'quotas.storageBytes: must not be negative, and below 2^62'],
    ['writtenBytes: "-5"', 'quotas.writtenBytes: must not be negative'],
  ])('%s is refused by the name of the field', async (quotas, message) => {
    expect((await setQuotas(quotas)).error).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(message),
    })
  })

  test('are not for a key that may only read', async () => {
    const { createApiKey } = await project.stack.ask(
      'mutation { createApiKey(input: { name: "reader", readOnly: true }) { secret } }',
    )
    expect(
      await project.refusal(
        `updateProject(id: "${project.projectId}", input: { quotas: { branches: 1 } })`,
        createApiKey.secret,
      ),
    ).toMatch(/^READ_ONLY_KEY/)
  })

  test('a branch beyond the quota is refused with the number, and made when it is raised', async () => {
    await setQuotas('branches: 1')
    const call = `createBranch(input: { projectId: "${project.projectId}", name: "second", withEndpoint: false })`
    expect(await project.refusal(call)).toBe('QUOTA_EXCEEDED the project may have 1 branches')
    await setQuotas('branches: 2')
    expect(await project.refusal(call)).toBe('done')
    await project.stack.waitForOperations()
    await setQuotas('branches: null')
  })

  test('used-up compute seconds suspend the endpoint and refuse its start, with the use, until they are raised', async () => {
    await until(async () => (await project.stack.sql('SELECT 1 FROM "UsageTotal" WHERE "computeSeconds" > 1'))[0])
    await setQuotas('computeSeconds: 1')
    await until(async () => {
      const [row] = await project.stack.sql('SELECT state, "lastError" FROM "Endpoint" WHERE id = $1', [
        project.endpointId,
      ])
      return row?.['state'] === 'IDLE' && String(row['lastError']).includes('quota of compute seconds')
    })
    expect(await project.refusal(`startEndpoint(id: "${project.endpointId}")`)).toMatch(
      /^QUOTA_EXCEEDED quota of compute seconds is used up: \d+ of 1 this month$/,
    )
    await project.stack.waitForOperations()
    await setQuotas('computeSeconds: 1000000')
    expect(await project.refusal(`startEndpoint(id: "${project.endpointId}")`)).toBe('done')
    await project.stack.waitForOperations()
    expect(await waitForAgreement(project.stack)).toEqual([])
  })
})

describe('an endpoint', () => {
  test('nobody has used for its time is suspended, and a connection wakes it: the ledger says who', async () => {
    await project.change(`updateEndpoint(id: "${project.endpointId}", input: { suspendAfterSeconds: 60 })`)
    await project.stack.sql(`UPDATE "Endpoint" SET "readyAt" = now() - interval '2 minutes' WHERE id = $1`, [
      project.endpointId,
    ])
    const state = async () =>
      (await project.stack.sql('SELECT state FROM "Endpoint" WHERE id = $1', [project.endpointId]))[0]?.['state']
    await until(async () => (await state()) === 'IDLE')
    expect((await project.auditOf('endpoint.suspend'))[0]).toMatchObject({
      actor: 'scale to zero',
      subject: project.endpointId,
    })
    const cause = {
      kind: 'connect',
      user: 'ann',
      database: 'app',
      clientAddress: '192.0.2.7:51234',
      applicationName: null,
      proxyId: 'p',
    }
    const woken = await fetch(`${project.stack.url}/internal/proxy/wake`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer test-token' },
      body: JSON.stringify({ endpointId: project.endpointId, cause, deadAddress: null }),
    })
    expect(woken.status).toBe(200)
    expect(await state()).toBe('ACTIVE')
    await until(async () => (await project.stack.sql('SELECT 1 FROM "WakeRecord"'))[0])
    const { project: found } = await project.stack.ask(
      `{ project(id: "${project.projectId}") { wakeLedger(first: 1) { endpointId cause role database clientAddress waitMs } } }`,
    )
    const [wake] = found.wakeLedger
    expect(wake).toMatchObject({
      endpointId: project.endpointId,
      cause: 'connection',
      role: 'ann',
      database: 'app',
      clientAddress: '192.0.2.7:51234',
    })
    expect(wake.waitMs).toBeGreaterThan(0)
    // However slow the machine is, it does not fall asleep again under the tests that follow.
    await project.change(`updateEndpoint(id: "${project.endpointId}", input: { suspendAfterSeconds: -1 })`)
  })
})
