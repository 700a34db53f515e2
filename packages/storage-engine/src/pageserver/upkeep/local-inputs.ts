import { StorageError } from '../../base/errors.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import type { LayerPlace } from '../timeline/read-layers.ts'
import type { StorageContext } from '../timeline/storage-context.ts'
import type { LayerInput } from './layer-input.ts'

const FETCH_ATTEMPTS_MAX = 8

/** Brings layers here and keeps their files until `release`. */
export async function pinLayers(
  context: StorageContext,
  layers: readonly { readonly descriptor: LayerDescriptor; readonly place: LayerPlace }[],
): Promise<{ inputs: LayerInput[]; release: () => void }> {
  const inputs: LayerInput[] = []
  const release = () => {
    for (const { name } of inputs) context.layerFiles.unpin(name)
  }
  try {
    for (const { descriptor, place } of layers) inputs.push(await pinLayer(context, descriptor, place))
    return { inputs, release }
  } catch (error) {
    release()
    throw error
  }
}

async function pinLayer(context: StorageContext, descriptor: LayerDescriptor, place: LayerPlace): Promise<LayerInput> {
  const { name, kind } = descriptor
  for (let attempt = 0; attempt < FETCH_ATTEMPTS_MAX; attempt++) {
    const path = context.layerFiles.pin(name)
    if (path !== undefined) return { name, path, kind }
    await context.layerFiles.fetch(descriptor, place.objectKey(name), place.path(name))
  }
  throw new StorageError('exhausted', 'the local layer cache is too small to keep a layer', { name })
}

/** Removes local copies and objects of layers that no index names and no read sees any more. */
export function discardLayers(context: StorageContext, place: LayerPlace, names: Iterable<string>): void {
  const keys: string[] = []
  for (const name of names) {
    // A file that stays behind is removed at the next start.
    context.layerFiles.drop(name).catch(() => undefined)
    keys.push(place.objectKey(name))
  }
  context.deletions.push(keys)
}
