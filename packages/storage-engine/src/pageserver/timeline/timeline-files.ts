import type { ProjectId, TimelineId } from '../../postgres/ids.ts'
import { decodeKey } from '../key.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { lakePrefix, layerKey } from '../remote/object-paths.ts'
import type { LayerPlace } from './read-layers.ts'

/** Where the files of one timeline are: local copies, scratch files, objects. */
export class TimelineFiles implements LayerPlace {
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly directory: string
  #scratchSerial = 0

  constructor(projectDirectory: string, projectId: ProjectId, timelineId: TimelineId) {
    this.projectId = projectId
    this.timelineId = timelineId
    this.directory = `${projectDirectory}/timelines/${timelineId}`
  }

  get layersDirectory(): string {
    return `${this.directory}/layers`
  }

  get scratchDirectory(): string {
    return `${this.directory}/scratch`
  }

  objectKey(layer: LayerDescriptor): string {
    const { name, table } = layer
    if (!table) return layerKey(this.projectId, this.timelineId, name)
    return `${this.tablePrefix(decodeKey(layer.keyStart).b, table.oid)}${name}`
  }

  /** Folder of one table's columns and its Delta log. */
  tablePrefix(dbOid: number, tableOid: number): string {
    return `${lakePrefix(this.projectId, this.timelineId)}${dbOid}/${tableOid}/`
  }

  path(layerName: string): string {
    return `${this.layersDirectory}/${layerName}`
  }

  /** A path no one used since the process started; the folder is emptied at start. */
  newScratchPath(purpose: string): string {
    return `${this.scratchDirectory}/${purpose}-${++this.#scratchSerial}`
  }
}
