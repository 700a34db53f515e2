import { PageClient } from '../src/compute/page-client.ts'
import { openNodeEnv } from '../src/io/node-env.ts'
import { ProjectId, TimelineId } from '../src/postgres/ids.ts'
import { Fork } from '../src/postgres/relation.ts'
import { type Stack, sleep } from '../test/stack-fixture.ts'
import { waitCaughtUp } from './get-page.bench.ts'

/** Between two reads: few enough that the reads themselves are no load. */
const PAUSE_MS = 5

/** Reads pages of one table, here and there, one at a time, straight from the PageServer, and takes the time of each. */
export class PageProbe {
  readonly #client: PageClient
  readonly #relation: { spcOid: number; dbOid: number; relNumber: number; fork: Fork }
  readonly #blocks: number
  readonly #latenciesMs: number[] = []
  #running: Promise<void> | undefined
  #isOver = false

  private constructor(
    client: PageClient,
    relation: { spcOid: number; dbOid: number; relNumber: number },
    blocks: number,
  ) {
    this.#client = client
    this.#relation = { ...relation, fork: Fork.main }
    this.#blocks = blocks
  }

  /** As of what has been committed by now. */
  static async start(stack: Stack, table: string): Promise<PageProbe> {
    const [found] = await stack.query<{ db: number; rel: number; blocks: number }>(
      `select (select oid::int from pg_database where datname = current_database()) as db,
         pg_relation_filenode('${table}')::int as rel, (pg_relation_size('${table}') / 8192)::int as blocks`,
    )
    const { pageserver, projectId, branches } = await stack.describe()
    const client = new PageClient({
      env: openNodeEnv({ name: 'bench', logLevel: 'error' }),
      address: { host: pageserver.host, port: pageserver.port },
      projectId: ProjectId.parse(projectId),
      timelineId: TimelineId.parse(branches.find(({ name }) => name === 'main')?.timelineId ?? ''),
      lsn: await waitCaughtUp(stack),
      giveUpMs: 60_000,
    })
    const probe = new PageProbe(client, { spcOid: 1663, dbOid: found!.db, relNumber: found!.rel }, found!.blocks)
    probe.#running = probe.#run()
    return probe
  }

  async stop(): Promise<readonly number[]> {
    this.#isOver = true
    await this.#running
    this.#client.close()
    return this.#latenciesMs
  }

  async #run(): Promise<void> {
    let state = 12345
    while (!this.#isOver) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      const startMs = performance.now()
      await this.#client.readPages(this.#relation, state % this.#blocks, 1)
      this.#latenciesMs.push(performance.now() - startMs)
      await sleep(PAUSE_MS)
    }
  }
}
