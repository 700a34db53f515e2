import * as fs from 'node:fs'
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import pg from 'pg'
import { tpchLikeQueries } from '../demo/tpch-like-queries.ts'
import { type Stack, sleep, startStack } from '../test/stack-fixture.ts'
import { type BenchContext, type BenchReport, median, rounded } from './bench-report.ts'
import { computeUri } from './commit.bench.ts'
import { type QueryWorkerProcess, startQueryWorkerProcess } from './query-worker-process.ts'

const QUERIES = ['q1', 'q3', 'q5', 'q6', 'q9', 'q18'] as const
const TABLES = ['region', 'nation', 'supplier', 'part', 'partsupp', 'customer', 'orders', 'lineitem'] as const
const WORKER_PORT = 24_690
const SETTLE_MS = 100
/** As the worker's own default. */
const THREADS = 2

/**
 * TPC-H-like questions with one block in a hundred changed since its columnar layer, against Postgres over the same data, and
 * against DuckDB over plain Parquet of the same rows. ANALYTICS_SCALE=0.1 makes a smaller one.
 */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  const scale = Number(process.env.ANALYTICS_SCALE ?? (isQuick ? 0.02 : 1))
  const rounds = isQuick ? 2 : 5
  const stack = await startStack()
  let worker: QueryWorkerProcess | undefined
  try {
    worker = await startQueryWorkerProcess(stack, WORKER_PORT)
    say(`loading scale ${scale}`)
    const uri = await computeUri(stack)
    const client = new pg.Client({ connectionString: uri })
    await client.connect()
    await loadTpchLike(client, scale)
    await worker.upkeep()
    const [size] = (
      await client.query<{ blocks: number }>(`select (pg_relation_size('lineitem') / 8192)::int as blocks`)
    ).rows
    await changeBlocks(client, 0, size!.blocks)
    const plain = await plainParquet(stack, worker)
    say('data is in place')
    const figures: Record<string, number> = { lineitemBlocks: size!.blocks }
    const ratios: Record<string, number> = {}
    const [speedups, costs]: [number[], number[]] = [[], []]
    for (const name of QUERIES) {
      const sql = tpchLikeQueries[name]!
      const [ours, postgres, parquet]: [number[], number[], number[]] = [[], [], []]
      let dirtyShare = 0
      for (let round = 0; round <= rounds; round++) {
        const startMs = performance.now()
        const { receipt } = await worker.client.run({ ...worker.target, sql, limits: { rowsMax: 100_000 } })
        const oursMs = performance.now() - startMs
        // The worker clears away behind its answer, which the others shall not pay for.
        await sleep(SETTLE_MS)
        dirtyShare =
          receipt.dirtyBlocks /
          Math.max(
            1,
            receipt.tables.reduce((sum, { blocks }) => sum + blocks, 0),
          )
        const parquetMs = await timed(() => plain.run(sql))
        // Postgres is slow and even: two turns are enough.
        const postgresMs = round <= 2 ? await timed(() => client.query(sql)) : undefined
        // The first turn warms every side.
        if (round === 0) continue
        ours.push(oursMs)
        parquet.push(parquetMs)
        if (postgresMs !== undefined) postgres.push(postgresMs)
      }
      figures[`${name}OursMs`] = rounded(median(ours))
      figures[`${name}PostgresMs`] = rounded(median(postgres))
      figures[`${name}ParquetMs`] = rounded(median(parquet))
      const [speedup, cost] = [median(postgres) / median(ours), median(ours) / median(parquet)]
      ratios[`${name}Speedup`] = rounded(speedup)
      ratios[`${name}Cost`] = rounded(cost)
      speedups.push(speedup)
      costs.push(cost)
      say(
        `${name}: ours ${median(ours).toFixed(0)} ms, Postgres ${median(postgres).toFixed(0)} ms, plain Parquet ${median(parquet).toFixed(0)} ms, dirty ${(dirtyShare * 100).toFixed(2)} %`,
      )
    }
    plain.close()
    await changeBlocks(client, 50, size!.blocks)
    const first = await firstOverChanged(worker)
    say(`q6 over ${first.firstChangedBlocks} blocks not read before: ${first.firstMs} ms, again ${first.againMs} ms`)
    await client.end()
    return {
      bench: 'analytics',
      figures: { scale, ...figures, ...first },
      ratios: {
        speedupOverPostgres: rounded(geometricMean(speedups)),
        costOverPlainParquet: rounded(geometricMean(costs)),
        ...ratios,
      },
    }
  } finally {
    await worker?.stop()
    await stack.cleanup()
  }
}

/** A new version of the first row of each hundredth block, from `first` on. */
async function changeBlocks(client: pg.Client, first: number, blocks: number): Promise<void> {
  await client.query(
    `update lineitem set l_comment = l_comment where ctid = any (array(select format('(%s,1)', b)::tid from generate_series(${first}, ${blocks - 1}, 100) b))`,
  )
}

/** What a question costs that is the first over changed blocks, which the PageServer has not read either; then once more. */
async function firstOverChanged({ client, target }: QueryWorkerProcess) {
  const ask = async () => {
    const startMs = performance.now()
    const { receipt } = await client.run({ ...target, sql: tpchLikeQueries.q6! })
    return { receipt, ms: performance.now() - startMs }
  }
  const first = await ask()
  await sleep(SETTLE_MS)
  const again = await ask()
  const { dirtyBlocks, reusedBlocks } = first.receipt.tables[0]!
  return {
    firstChangedBlocks: dirtyBlocks - reusedBlocks,
    firstMs: rounded(first.ms),
    firstFreshMs: rounded(first.receipt.milliseconds.fresh),
    againMs: rounded(again.ms),
  }
}

export async function loadTpchLike(client: pg.Client, scale: number): Promise<void> {
  const file = path.join(path.dirname(fileURLToPath(import.meta.url)), '../demo/tpch-like.sql')
  await client.query(fs.readFileSync(file, 'utf8'))
  await client.query(`select tpch_like(${scale})`)
  for (const table of TABLES) await client.query(`vacuum (freeze, analyze) ${table}`)
}

/** The same rows as Parquet that DuckDB writes, and DuckDB over it with the worker's share of the machine. */
async function plainParquet(
  stack: Stack,
  worker: QueryWorkerProcess,
): Promise<{ run(sql: string): Promise<unknown>; close(): void }> {
  const folder = path.join(stack.home, 'plain-parquet')
  fs.mkdirSync(folder)
  const instance = await DuckDBInstance.create(':memory:', { threads: String(THREADS), memory_limit: '2GiB' })
  const connection = await instance.connect()
  await connection.run(`set integer_division = true; set TimeZone = 'UTC'; set parquet_metadata_cache = true`)
  for (const table of TABLES) {
    // In parts: an answer to export is bounded.
    const key = { lineitem: 'l_orderkey', orders: 'o_orderkey' }[table as string]
    const parts = key === undefined ? 1 : 16
    const { rows } = await worker.client.run({
      ...worker.target,
      sql: `select ${key === undefined ? '1' : `max(${key})`} from ${table}`,
    })
    const last = Number(rows[0]?.[0] ?? 1)
    for (let part = 0; part < parts; part++) {
      const range = `${key} > ${Math.floor((last * part) / parts)} and ${key} <= ${Math.floor((last * (part + 1)) / parts)}`
      const sql = `select * from ${table} ${key === undefined ? '' : `where ${range}`}`
      const bytes = await worker.client.export({ ...worker.target, sql, format: 'parquet' })
      fs.writeFileSync(path.join(folder, `${table}-${part}.parquet`), bytes)
    }
    await connection.run(
      `copy (select * from read_parquet('${folder}/${table}-*.parquet')) to '${folder}/${table}.parquet' (format parquet, compression zstd)`,
    )
    await connection.run(`create view ${table} as select * from read_parquet('${folder}/${table}.parquet')`)
  }
  return {
    run: async (sql) => (await connection.runAndReadAll(sql)).getRows(),
    close: () => {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await work()
  return performance.now() - startMs
}
