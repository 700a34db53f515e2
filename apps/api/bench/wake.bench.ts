import pg from 'pg'
import {
  type BenchContext,
  type BenchReport,
  medianPhases,
  percentile,
  rounded,
} from '../../../packages/storage-engine/bench/bench-report.ts'
import { clientUri, eventually, graphqlClient } from '../test/graphql-client.ts'
import { type Product, startProduct } from '../test/product-fixture.ts'

const PORT_BASE = 26_300

/**
 * What a client waits for a suspended endpoint: from `connect` at the proxy to the first row of a query on a table, on the
 * whole system with a table of 200,000 rows. Warm: the PageServer has served the branch before. Cold: the PageServer was
 * killed and has just come back, so that its memory holds nothing (files may still be in the cache of the operating
 * system). Phases: `api.…` are steps of the operation, `compute.…` parts of the step `start`; `proxyAndQuery` is the rest:
 * log-in at the proxy, its way to the API and back, log-in at the compute, the query.
 */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  const [warmRuns, coldRuns] = isQuick ? [2, 1] : [25, 10]
  const product = await startProduct(PORT_BASE)
  try {
    const target = await makeTarget(product)
    const measure = async (name: string, runs: number, before: () => Promise<void>) => {
      const totals: number[] = []
      const phases: Record<string, number>[] = []
      for (let run = 0; run < runs; run++) {
        await target.suspend()
        await before()
        const totalMs = await target.connectAndRead()
        totals.push(totalMs)
        phases.push(await target.phases(totalMs))
        say(`${name} ${run + 1}: ${totalMs.toFixed(0)} ms ${JSON.stringify(phases.at(-1))}`)
      }
      return {
        [`${name}P50Ms`]: rounded(percentile(totals, 0.5)),
        [`${name}P99Ms`]: rounded(percentile(totals, 0.99)),
        [`${name}Phases`]: medianPhases(phases),
      }
    }
    return {
      bench: 'wake',
      figures: {
        ...(await measure('warm', warmRuns, async () => undefined)),
        ...(await measure('cold', coldRuns, () => target.replacePageserver())),
      },
      ratios: {},
    }
  } finally {
    await product.cleanup()
  }
}

interface Step {
  readonly name: string
  readonly durationMs: number | null
}

async function makeTarget(product: Product) {
  const ask = graphqlClient(product)
  const made = await ask(
    'mutation { createProject(input: { name: "wake" }) { project { id defaultBranch { primaryEndpoint { id } } } connection { uri } error { message } } }',
  )
  const { project, connection } = made.createProject
  const id: string = project.defaultBranch.primaryEndpoint.id
  const connectionString = clientUri(connection.uri, id)
  const withClient = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ connectionString })
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end()
    }
  }
  await withClient((client) =>
    client.query('create table t as select i, md5(i::text) from generate_series(1, 200000) i'),
  )
  return {
    async suspend() {
      await ask('mutation ($id: ID!) { suspendEndpoint(id: $id) { error { message } } }', { id })
      await eventually('suspending', async () => {
        const { node } = await ask('query ($id: ID!) { node(id: $id) { ... on Endpoint { state } } }', { id })
        return node.state === 'IDLE'
      })
    },
    async replacePageserver() {
      const restarts = async (): Promise<{ restarts: number; isReady: boolean }> => {
        const { storageStatus } = await ask(
          '{ storageStatus { processes { name restarts state } pageserver { state } } }',
        )
        const found = storageStatus.processes.find(({ name }: { name: string }) => name === 'pageserver')
        return { restarts: found.restarts, isReady: storageStatus.pageserver?.state === 'ready' }
      }
      const before = await restarts()
      await ask('mutation { processAction(name: "pageserver", action: KILL) { error { message } } }')
      await eventually('the PageServer', async () => {
        const now = await restarts()
        return now.restarts > before.restarts && now.isReady
      })
    },
    async connectAndRead(): Promise<number> {
      const startedMs = performance.now()
      const client = new pg.Client({ connectionString })
      await client.connect()
      await client.query('select * from t limit 1')
      const totalMs = performance.now() - startedMs
      await client.end()
      return totalMs
    },
    async phases(totalMs: number): Promise<Record<string, number>> {
      const { project: seen } = await ask(
        `query ($p: ID!) { project(id: $p) { operations(first: 1) { nodes { kind durationMs steps { name durationMs } } }
           endpoints { id starts(first: 1) { totalMs phases { name ms } } } } }`,
        { p: project.id },
      )
      const [operation] = seen.operations.nodes
      const [start] = seen.endpoints.find((endpoint: { id: string }) => endpoint.id === id).starts
      const steps: Step[] = operation.steps
      const inSteps = steps.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0)
      return {
        ...Object.fromEntries(steps.map(({ name, durationMs }) => [`api.${name}`, rounded(durationMs ?? 0)])),
        'api.betweenSteps': rounded(Math.max(0, operation.durationMs - inSteps)),
        ...Object.fromEntries(
          start.phases.map(({ name, ms }: { name: string; ms: number }) => [`compute.${name}`, rounded(ms)]),
        ),
        proxyAndQuery: rounded(Math.max(0, totalMs - operation.durationMs)),
      }
    },
  }
}
