import type { ProjectId, TimelineId } from '../../postgres/ids.ts'

/** Keys of the PageServer's objects (docs/formats/object-keys.md). */
export function generationsPrefix(projectId: ProjectId): string {
  return `projects/${projectId}/generations/`
}

export function generationKey(projectId: ProjectId, generation: number): string {
  return `${generationsPrefix(projectId)}${formatGeneration(generation)}`
}

export function timelinesPrefix(projectId: ProjectId): string {
  return `projects/${projectId}/timelines/`
}

export function timelinePrefix(projectId: ProjectId, timelineId: TimelineId): string {
  return `${timelinesPrefix(projectId)}${timelineId}/`
}

export function indexPrefix(projectId: ProjectId, timelineId: TimelineId): string {
  return `${timelinePrefix(projectId, timelineId)}index-`
}

export function indexKey(projectId: ProjectId, timelineId: TimelineId, generation: number): string {
  return `${indexPrefix(projectId, timelineId)}${formatGeneration(generation)}.json`
}

export function layersPrefix(projectId: ProjectId, timelineId: TimelineId): string {
  return `${timelinePrefix(projectId, timelineId)}layers/`
}

export function layerKey(projectId: ProjectId, timelineId: TimelineId, layerName: string): string {
  return `${layersPrefix(projectId, timelineId)}${layerName}`
}

/** Columnar layers and Delta tables: `<database oid>/<table oid>/` below it. */
export function lakePrefix(projectId: ProjectId, timelineId: TimelineId): string {
  return `${timelinePrefix(projectId, timelineId)}lake/`
}

/** The generation in the key of an index file, or undefined for another key. */
export function indexGeneration(key: string): number | undefined {
  const match = /\/index-([0-9a-f]{8})\.json$/.exec(key)
  return match ? Number.parseInt(match[1]!, 16) : undefined
}

export function formatGeneration(generation: number): string {
  return generation.toString(16).padStart(8, '0')
}
