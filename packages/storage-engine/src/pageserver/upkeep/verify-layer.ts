import type { Disk } from '../../io/disk.ts'
import { closeInputs, type LayerInput, openInputs } from './layer-input.ts'

export interface VerifyLayerTask {
  readonly input: LayerInput
}

/** Reads every byte of a layer; throws `corruption` at the first that is wrong. Returns its row count. */
export function verifyLayer(disk: Disk, task: VerifyLayerTask): number {
  const inputs = openInputs(disk, [task.input])
  try {
    const { reader } = inputs[0]!.layer
    reader.verify()
    return reader.rowCount
  } finally {
    closeInputs(inputs)
  }
}
