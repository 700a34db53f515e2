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

/** Keys below it: remote/index-key.ts. */
export function indexPrefix(projectId: ProjectId, timelineId: TimelineId): string {
  return `${timelinePrefix(projectId, timelineId)}index-`
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

/** 8 hex digits: in byte order as in number order. */
export function formatGeneration(generation: number): string {
  return generation.toString(16).padStart(8, '0')
}
