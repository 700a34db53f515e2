import { startStack } from '../test/stack-fixture.ts'
import { type BenchContext, type BenchReport, median, percentile, rounded } from './bench-report.ts'
import { startQueryWorkerProcess } from './query-worker-process.ts'

const WORKER_PORT = 24_691

/** Commits a row, then asks for it at once: it is always there. What that costs over the same question at a moment read before. */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  const turns = isQuick ? 50 : 1000
  const stack = await startStack()
  const worker = await startQueryWorkerProcess(stack, WORKER_PORT)
  try {
    await stack.query(`create table events (id int primary key, kind int, body text)`)
    await stack.query(`insert into events select i, i % 10, md5(i::text) from generate_series(1, 200000) i`)
    await stack.query('vacuum (freeze) events')
    await worker.upkeep()
    const ask = async (id: number, at?: { lsn: string }) => {
      const startMs = performance.now()
      const sql = `select count(*), count(*) filter (where id = ${id}) from events`
      const result = await worker.client.run({ ...worker.target, sql, ...(at ? { at } : {}) })
      return { ms: performance.now() - startMs, result }
    }
    const base = await ask(1)
    const baseline: number[] = []
    for (let i = 0; i < Math.min(turns, 200); i++) baseline.push((await ask(1, { lsn: base.result.receipt.lsn })).ms)
    const [totals, fresh, waits]: [number[], number[], number[]] = [[], [], []]
    let missing = 0
    await stack.withClient(async (client) => {
      for (let i = 1; i <= turns; i++) {
        const id = 1_000_000 + i
        await client.query('insert into events values ($1, 1, $2)', [id, 'fresh'])
        const { ms, result } = await ask(id)
        if (result.rows[0]?.[1] !== '1' || result.rows[0]?.[0] !== String(200_000 + i)) missing++
        totals.push(ms)
        fresh.push(result.receipt.milliseconds.fresh)
        waits.push(result.receipt.milliseconds.resolve)
        if (i % 200 === 0) say(`${i} of ${turns}`)
      }
    })
    if (missing > 0) throw new Error(`${missing} of ${turns} answers lacked a row that was committed before`)
    const usual = median(baseline)
    return {
      bench: 'freshness',
      figures: {
        turns,
        missing,
        baselineP50Ms: rounded(usual),
        totalP50Ms: rounded(median(totals)),
        totalP99Ms: rounded(percentile(totals, 0.99)),
        extraP50Ms: rounded(median(totals) - usual),
        extraP99Ms: rounded(percentile(totals, 0.99) - usual),
        freshRowsP50Ms: rounded(median(fresh)),
        freshRowsP99Ms: rounded(percentile(fresh, 0.99)),
        tipP50Ms: rounded(median(waits)),
        tipP99Ms: rounded(percentile(waits, 0.99)),
      },
      ratios: { freshOverKnown: rounded(median(totals) / usual) },
    }
  } finally {
    await worker.stop()
    await stack.cleanup()
  }
}
