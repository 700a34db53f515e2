import type { Disk } from '../../io/disk.ts'
import { BlockCache } from '../layer/block-cache.ts'
import { DeltaLayer } from '../layer/delta-layer.ts'
import type { LayerKind } from '../layer/layer-name.ts'
import { PageImageLayer } from '../layer/page-image-layer.ts'
import { ColumnarInput } from './columnar-input.ts'

/** A local layer file that a task reads. */
export interface LayerInput {
  readonly name: string
  readonly path: string
  readonly kind: LayerKind
  /** Of the layer; a columnar file's first block. */
  readonly keyStart: Uint8Array
}

/** Room for the current index and data block of each input, and for values a little longer than a block. */
const INPUT_CACHE_BYTES = 256 * 1024

export type OpenInput =
  | { kind: 'delta'; layer: DeltaLayer }
  | { kind: 'page-image'; layer: PageImageLayer }
  | { kind: 'columnar'; layer: ColumnarInput }

/** Opens the inputs of one task over one block cache of their own. */
export function openInputs(disk: Disk, inputs: readonly LayerInput[]): OpenInput[] {
  const cache = new BlockCache(INPUT_CACHE_BYTES * Math.max(1, inputs.length))
  const opened: OpenInput[] = []
  try {
    inputs.forEach(({ name, path, kind, keyStart }, layerNumber) => {
      if (kind === 'columnar') {
        opened.push({ kind, layer: new ColumnarInput(disk, { path, keyStart }) })
        return
      }
      const options = { file: disk.openNow(path, 'read'), objectName: name, layerNumber, cache }
      opened.push(
        kind === 'delta' ? { kind, layer: new DeltaLayer(options) } : { kind, layer: new PageImageLayer(options) },
      )
    })
    return opened
  } catch (error) {
    closeInputs(opened)
    throw error
  }
}

export function closeInputs(inputs: readonly OpenInput[]): void {
  for (const input of inputs) void input.layer.reader.close()
}
