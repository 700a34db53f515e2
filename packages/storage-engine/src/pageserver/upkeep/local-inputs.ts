import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { localPagesName } from '../layer/local-pages.ts'
import type { LayerPlace } from '../timeline/read-layers.ts'
import type { StorageContext } from '../timeline/storage-context.ts'
import type { LayerInput } from './layer-input.ts'

/**
 * Brings layers here and keeps their files until `release`. With `pagesWillDo`, local pages stand in for the columnar
 * layers that have some: they are cheaper to read pages from.
 */
export async function pinLayers(
  context: StorageContext,
  layers: readonly { readonly descriptor: LayerDescriptor; readonly place: LayerPlace }[],
  options: { readonly pagesWillDo?: boolean } = {},
): Promise<{ inputs: LayerInput[]; release: () => void }> {
  const inputs: LayerInput[] = []
  const release = () => {
    for (const { name } of inputs) context.layerFiles.unpin(name)
  }
  try {
    for (const { descriptor, place } of layers) {
      const { name, kind, keyStart } = descriptor
      const pagesName = localPagesName(name)
      const pagesPath = kind === 'columnar' && options.pagesWillDo ? context.layerFiles.pinLocal(pagesName) : undefined
      if (pagesPath !== undefined) {
        inputs.push({ name: pagesName, kind: 'page-image', keyStart, path: pagesPath })
        continue
      }
      inputs.push({
        name,
        kind,
        keyStart,
        path: await context.layerFiles.pin(descriptor, place.objectKey(descriptor), place.path(name)),
      })
    }
    return { inputs, release }
  } catch (error) {
    release()
    throw error
  }
}

/**
 * Removes local copies and objects of layers that no index names and no read sees any more. Files of columns may still be
 * needed by versions of a Delta table: lake/vacuum.ts removes those.
 */
export function discardLayers(context: StorageContext, place: LayerPlace, layers: Iterable<LayerDescriptor>): void {
  const keys: string[] = []
  for (const layer of layers) {
    // A file that stays behind is removed at the next start.
    context.layerFiles.drop(layer.name).catch(() => undefined)
    if (layer.kind === 'columnar') context.layerFiles.drop(localPagesName(layer.name)).catch(() => undefined)
    if (layer.kind !== 'columnar') keys.push(place.objectKey(layer))
  }
  context.deletions.push(keys)
}
