import type { Disk } from '../../io/disk.ts'
import type { ColumnarInput } from './columnar-input.ts'
import { closeInputs, type LayerInput, openInputs } from './layer-input.ts'

export interface VerifyLayerTask {
  readonly input: LayerInput
}

/** Reads every byte of a layer; throws `corruption` at the first that is wrong. Returns its row count. */
export async function verifyLayer(disk: Disk, task: VerifyLayerTask): Promise<number> {
  const inputs = openInputs(disk, [task.input])
  try {
    const input = inputs[0]!
    if (input.kind === 'columnar') return await verifyColumns(input.layer)
    const { reader } = input.layer
    reader.verify()
    return reader.rowCount
  } finally {
    closeInputs(inputs)
  }
}

async function verifyColumns(layer: ColumnarInput): Promise<number> {
  const file = await layer.open()
  const { rowGroups } = file.parquet.metadata
  for (let group = 0; group < rowGroups.length; group++) await file.parquet.readRowGroup(group)
  for (const segment of file.segments) await file.parquet.readBlob(segment)
  return rowGroups.reduce((sum, group) => sum + group.rowCount, 0)
}
