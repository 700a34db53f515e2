import { type BenchContext, type BenchReport, rounded } from './bench-report.ts'
import { openLineitemLake } from './lineitem-lake.ts'

const MIB = 1024 * 1024
const SAMPLE_MS = 20

/**
 * Heap pages to columns on one worker thread, each page verified: from WAL as after a load, and again after one block in
 * ten has changed. The floor is 25 MB/s.
 */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  const { lake, heapBytes, taskSeconds, close } = await openLineitemLake(isQuick ? 0.02 : 0.3)
  try {
    say(`lineitem: ${Math.round(heapBytes / MIB)} MiB of heap`)
    const taskTime = () => taskSeconds.get('write-columnar-layer') ?? 0
    const quietRssBytes = process.memoryUsage().rss
    let peakRssBytes = quietRssBytes
    const timer = setInterval(() => {
      peakRssBytes = Math.max(peakRssBytes, process.memoryUsage().rss)
    }, SAMPLE_MS)
    const bytesInColumns = async () => {
      const { tables } = await lake.service.storageReport(lake.projectId)
      return tables.reduce((sum, table) => sum + table.heapBytes, 0)
    }
    await lake.upkeep('images')
    const fromWalSeconds = taskTime()
    const allBytes = await bytesInColumns()
    say(`from WAL: ${(allBytes / MIB / fromWalSeconds).toFixed(0)} MB/s`)
    await lake.run(
      `update lineitem set l_tax = l_tax where ctid = any (array(select format('(%s,1)', b)::tid from generate_series(0, ${heapBytes / 8192 - 1}, 10) b))`,
    )
    await lake.ingest()
    await lake.upkeep('flush')
    await lake.upkeep('images')
    clearInterval(timer)
    const againSeconds = taskTime() - fromWalSeconds
    const againBytes = heapBytes
    return {
      bench: 'transcode',
      figures: {
        heapMb: rounded(allBytes / MIB),
        mbPerSecond: rounded(againBytes / MIB / againSeconds),
        fromWalMbPerSecond: rounded(allBytes / MIB / fromWalSeconds),
        peakRssMb: rounded(peakRssBytes / MIB),
        addedRssMb: rounded((peakRssBytes - quietRssBytes) / MIB),
      },
      ratios: {},
    }
  } finally {
    await close()
  }
}
