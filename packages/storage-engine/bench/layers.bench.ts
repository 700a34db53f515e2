import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../src/io/log.ts'
import { noMetrics } from '../src/io/metrics.ts'
import { nodeClock } from '../src/io/node-clock.ts'
import { nodeDisk } from '../src/io/node-disk.ts'
import { nodeRandom } from '../src/io/node-random.ts'
import { openWorkerPool } from '../src/io/node-workers.ts'
import { openLocalObjectStore } from '../src/object-store/local-object-store.ts'
import { ProjectId, TimelineId } from '../src/postgres/ids.ts'
import { Lsn } from '../src/postgres/lsn.ts'
import { KeyScratch } from '../src/pageserver/key.ts'
import { OpenLayer } from '../src/pageserver/layer/open-layer.ts'
import { OpenLayerPool } from '../src/pageserver/layer/open-layer-pool.ts'
import { materializeValue } from '../src/pageserver/materialize-value.ts'
import { openProjectStorage } from '../src/pageserver/timeline/project-storage.ts'
import type { BenchReport } from './bench-report.ts'

/** Put rate, collect latency by chain length, and flush throughput of the layered store, in this process. */
export async function bench(): Promise<BenchReport> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-layers-bench-'))
  try {
    const figures: Record<string, number> = {}
    putRate(folder, figures)
    await storageFigures(folder, figures)
    return { bench: 'layers', figures, ratios: {} }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function putRate(folder: string, figures: Record<string, number>): void {
  const keys = new KeyScratch()
  const value = new Uint8Array(64).fill(7)
  const count = 1_000_000
  let best = 0
  for (let round = 0; round < 3; round++) {
    const layer = new OpenLayer({
      pool: new OpenLayerPool(),
      disk: nodeDisk,
      path: join(folder, `open-${round}`),
      residentBytesMax: 1 << 30,
    })
    const startMs = performance.now()
    for (let i = 0; i < count; i++) {
      const block = Math.imul(i, 0x9e3779b1) >>> 12
      layer.put(keys.relationBlock(1663, 5, 16384 + (i & 3), 0, block & 0x1ffff), Lsn.of(1000 + i * 8), false, value)
    }
    best = Math.max(best, count / ((performance.now() - startMs) / 1000))
  }
  figures.putsPerSecond = Math.round(best)
}

async function storageFigures(folder: string, figures: Record<string, number>): Promise<void> {
  const workers = openWorkerPool({ name: 'pageserver/upkeep/upkeep', threadCount: 2 })
  const project = await openProjectStorage({
    env: { clock: nodeClock, disk: nodeDisk, log: silentLog, metrics: noMetrics, random: nodeRandom },
    objectStore: await openLocalObjectStore({ folder: join(folder, 'objects') }),
    workers,
    directory: join(folder, 'project'),
    projectId: ProjectId.parse('0'.repeat(32)),
    semanticsOf: () => ({ materialize: materializeValue, liveKeyRanges: () => Promise.resolve([]) }),
    settings: { automaticUpkeep: false },
  })
  try {
    const timelineId = TimelineId.parse('1'.repeat(32))
    const storage = await project.createTimeline({ timelineId, startLsn: Lsn.of(8) })
    const keys = new KeyScratch()
    const page = new Uint8Array(8192)
    for (let i = 0; i < 8192; i++) page[i] = (i * 131 + (i >> 5)) & 63
    const record = new Uint8Array(100).fill(9)
    const blocks = 4096
    let lsn = 8
    const nextLsn = () => {
      lsn += 8
      return Lsn.of(lsn)
    }
    for (let block = 0; block < blocks; block++) {
      page[block % 8192] = block & 255
      storage.put(keys.relationBlock(1663, 5, 16384, 0, block), nextLsn(), true, page)
      storage.advance(Lsn.of(lsn))
    }
    let startMs = performance.now()
    await storage.flush()
    figures.flushMbPerSecondPages = Math.round((blocks * 8192) / 1e3 / (performance.now() - startMs))
    const atLsnOfChain: Record<number, number> = { 0: lsn }
    for (let round = 1; round <= 100; round++) {
      for (let block = 0; block < blocks; block++) {
        storage.put(keys.relationBlock(1663, 5, 16384, 0, block), nextLsn(), false, record)
      }
      storage.advance(Lsn.of(lsn))
      await storage.ready()
      if (round === 10 || round === 100) atLsnOfChain[round] = lsn
    }
    for (const [chain, at] of Object.entries(atLsnOfChain)) latency(figures, storage, `openChain${chain}`, blocks, at)
    startMs = performance.now()
    await storage.flush()
    figures.flushMbPerSecondRecords = Math.round((blocks * 100 * 100) / 1e3 / (performance.now() - startMs))
    for (const [chain, at] of Object.entries(atLsnOfChain)) latency(figures, storage, `deltaChain${chain}`, blocks, at)

    startMs = performance.now()
    let bytes = 0
    for (let i = 0; i < 2_000_000; i++) {
      const block = (Math.imul(i, 0x9e3779b1) >>> 12) & 0x3ffff
      storage.put(keys.relationBlock(1663, 5, 16385, 0, block), nextLsn(), true, record)
      bytes += record.length
      if (i % 100 === 0) {
        storage.advance(Lsn.of(lsn))
        await storage.ready()
      }
    }
    storage.advance(Lsn.of(lsn))
    await storage.flush()
    figures.ingestMbPerSecond = Math.round(bytes / 1e3 / (performance.now() - startMs))
    startMs = performance.now()
    await storage.compact()
    figures.compactMs = Math.round(performance.now() - startMs)
    figures.rssMb = Math.round(process.memoryUsage().rss / 1e6)
  } finally {
    await project.close()
    await workers.close()
  }
}

function latency(
  figures: Record<string, number>,
  storage: { collectNow(keys: Uint8Array, count: number, lsn: Lsn): unknown },
  name: string,
  blocks: number,
  lsn: number,
): void {
  const keys = new KeyScratch()
  const samples: number[] = []
  for (let i = 0; i < 4000; i++) {
    const block = (Math.imul(i, 0x9e3779b1) >>> 8) % blocks
    const startMs = performance.now()
    if (!storage.collectNow(keys.relationBlock(1663, 5, 16384, 0, block), 1, Lsn.of(lsn))) throw new Error('not local')
    samples.push(performance.now() - startMs)
  }
  samples.sort((a, b) => a - b)
  figures[`${name}P50Us`] = Math.round(samples[2000]! * 1000)
  figures[`${name}P99Us`] = Math.round(samples[3960]! * 1000)
}
