import { type BenchContext, type BenchReport, percentile, rounded } from './bench-report.ts'
import { openLineitemLake } from './lineitem-lake.ts'

/** Pages of one segment, which are rebuilt together. */
const SEGMENT_PAGES = 256
const SAMPLES_MAX = 30

/**
 * One page of a table in columns: cold, by ranged reads of the Parquet object and a rebuild of the 256 pages around it;
 * from that segment in memory; and from local page images, as after a while.
 */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  const { lake, relation, lsn, heapBytes, close } = await openLineitemLake(isQuick ? 0.02 : 0.3)
  try {
    await lake.upkeep('images')
    const blockCount = heapBytes / 8192
    const readMs = async (block: number): Promise<number> => {
      const timeline = lake.service.timeline(lake.projectId, lake.rootId)
      const startMs = performance.now()
      await timeline.getPages({ ...relation, fork: 0, firstBlock: block, blockCount: 1 }, lsn)
      return performance.now() - startMs
    }
    const cold: number[] = []
    const inMemory: number[] = []
    for (let block = SEGMENT_PAGES; block < blockCount && cold.length < SAMPLES_MAX; block += SEGMENT_PAGES) {
      // Nothing is local after a restart. The first read fetches what else a read needs, and opens the file's footer.
      await lake.restart()
      await readMs(0)
      cold.push(await readMs(block))
      for (let i = 1; i < Math.min(9, blockCount - block); i++) inMemory.push(await readMs(block + i * 7))
    }
    await lake.service.settle(lake.projectId)
    const local: number[] = []
    for (let block = 3; block < blockCount; block += 61) local.push(await readMs(block))
    say(`${cold.length} segments, ${local.length} pages from local images`)
    return {
      bench: 'columnar-read',
      figures: {
        coldMs: { p50: rounded(percentile(cold, 0.5)), p99: rounded(percentile(cold, 0.99)) },
        segmentInMemoryMs: { p50: rounded(percentile(inMemory, 0.5)), p99: rounded(percentile(inMemory, 0.99)) },
        localPagesMs: { p50: rounded(percentile(local, 0.5)), p99: rounded(percentile(local, 0.99)) },
      },
      ratios: {},
    }
  } finally {
    await close()
  }
}
