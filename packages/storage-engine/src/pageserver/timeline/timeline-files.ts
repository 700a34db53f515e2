import type { ProjectId, TimelineId } from '../../postgres/ids.ts'
import { layerKey } from '../remote/object-paths.ts'
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

  objectKey(layerName: string): string {
    return layerKey(this.projectId, this.timelineId, layerName)
  }

  path(layerName: string): string {
    return `${this.layersDirectory}/${layerName}`
  }

  /** A path no one used since the process started; the folder is emptied at start. */
  newScratchPath(purpose: string): string {
    return `${this.scratchDirectory}/${purpose}-${++this.#scratchSerial}`
  }
}
