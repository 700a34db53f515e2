import * as fs from 'node:fs'
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'
import { openWorkerPool } from '../src/io/node-workers.ts'
import type { Workers } from '../src/io/workers.ts'
import type { Lsn } from '../src/postgres/lsn.ts'
import type { RelationLocator } from '../src/postgres/two-phase.ts'
import { LakeFixture } from '../test/lake-fixture.ts'

/** A PageServer over a stock Postgres with the TPC-H-like lineitem in delta layers, and upkeep on one worker thread. */
export interface LineitemLake {
  readonly lake: LakeFixture
  readonly relation: RelationLocator
  readonly lsn: Lsn
  readonly heapBytes: number
  /** Seconds that each task has run, by its name. */
  readonly taskSeconds: ReadonlyMap<string, number>
  close(): Promise<void>
}

export async function openLineitemLake(scale: number): Promise<LineitemLake> {
  const pool = openWorkerPool({ name: 'pageserver/upkeep/upkeep', threadCount: 1 })
  const taskSeconds = new Map<string, number>()
  const workers: Workers = {
    async run<Payload, Result>(task: string, payload: Payload): Promise<Result> {
      const startMs = performance.now()
      try {
        return await pool.run<Payload, Result>(task, payload)
      } finally {
        taskSeconds.set(task, (taskSeconds.get(task) ?? 0) + (performance.now() - startMs) / 1000)
      }
    },
    close: () => pool.close(),
  }
  const lake = await LakeFixture.open({ workers })
  const file = path.join(path.dirname(fileURLToPath(import.meta.url)), '../demo/tpch-like.sql')
  await lake.run(fs.readFileSync(file, 'utf8'), `select tpch_like(${scale})`, 'vacuum (freeze) lineitem')
  const lsn = await lake.ingest()
  await lake.upkeep('flush', 'compact')
  const relation = await lake.locate('lineitem')
  const { blockCount } = await lake.plan(relation, lsn)
  return {
    lake,
    relation,
    lsn,
    heapBytes: blockCount * 8192,
    taskSeconds,
    async close() {
      await lake.close()
      await pool.close()
    },
  }
}
