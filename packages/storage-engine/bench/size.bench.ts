import * as fs from 'node:fs'
import { ColumnarFile } from '../src/columnar/columnar-file.ts'
import { memorySource } from '../src/parquet/file-reader.ts'
import { type BenchContext, type BenchReport, rounded } from './bench-report.ts'
import { openLineitemLake } from './lineitem-lake.ts'

const MIB = 1024 * 1024

/** Bytes of lineitem's columnar layers against its heap, and the share of hidden columns and page directories in them. */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  const { lake, relation, lsn, heapBytes, close } = await openLineitemLake(isQuick ? 0.02 : 0.3)
  try {
    await lake.upkeep('images')
    const { layers } = await lake.plan(relation, lsn)
    let fileBytes = 0
    let visibleBytes = 0
    for (const { objectKey } of layers) {
      const bytes = new Uint8Array(fs.readFileSync(lake.objectPath(objectKey)))
      const file = await ColumnarFile.open(memorySource(bytes))
      const visible = new Set(file.layout.attributes.map(({ valueLeaf }) => valueLeaf))
      for (const group of file.parquet.metadata.rowGroups) {
        group.columns.forEach((chunk, leaf) => {
          if (visible.has(leaf)) visibleBytes += chunk.compressedSizeBytes
        })
      }
      fileBytes += bytes.length
    }
    say(`lineitem: ${Math.round(heapBytes / MIB)} MiB of heap, ${(fileBytes / MIB).toFixed(1)} MiB of columns`)
    return {
      bench: 'size',
      figures: { heapMb: rounded(heapBytes / MIB), columnarMb: rounded(fileBytes / MIB) },
      ratios: {
        lineitem: rounded(fileBytes / heapBytes),
        hiddenColumns: rounded((fileBytes - visibleBytes) / visibleBytes),
      },
    }
  } finally {
    await close()
  }
}
