import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { layerOfLocalPages, localPagesOf } from '../layer/local-pages.ts'
import type { StorageContext } from './storage-context.ts'
import type { TimelineFiles } from './timeline-files.ts'

/** Empties the scratch folder and takes over the local files of `layers` that an earlier process left; removes all others. */
export async function adoptLocalFiles(
  context: Pick<StorageContext, 'env' | 'layerFiles'>,
  files: TimelineFiles,
  layers: readonly LayerDescriptor[],
): Promise<void> {
  const { disk } = context.env
  await disk.removeTree(files.scratchDirectory)
  await disk.makeDirectory(files.scratchDirectory)
  await disk.makeDirectory(files.layersDirectory)
  const named = new Map(layers.map((layer) => [layer.name, layer]))
  for (const name of await disk.list(files.layersDirectory)) {
    const path = files.path(name)
    const owner = named.get(layerOfLocalPages(name) ?? '')
    if (owner) {
      const pages = await disk.stat(path)
      if (pages) context.layerFiles.adopt(localPagesOf(owner, pages.sizeBytes), path)
      continue
    }
    const layer = named.get(name)
    const stat = layer && (await disk.stat(path))
    if (layer && stat?.sizeBytes === layer.sizeBytes) context.layerFiles.adopt(layer, path)
    else await disk.remove(path)
  }
}
