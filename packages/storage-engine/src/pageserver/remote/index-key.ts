import { assert } from '../../base/assert.ts'
import type { ProjectId, TimelineId } from '../../postgres/ids.ts'
import { formatGeneration, indexPrefix } from './object-paths.ts'

const SEQUENCE_MAX = 2 ** 32 - 1

/**
 * One write of a timeline's index. No two writes have the same name, so a write that timed out and arrives late changes
 * nothing: a later one has a higher name. `deletion` is the last word on a timeline: it was deleted.
 */
export interface IndexName {
  readonly generation: number
  /** Counts the index writes of an owner, over all timelines; 0 for an index from before writes were counted. */
  readonly sequence: number
  readonly kind: 'index' | 'deletion'
}

export function indexKey(projectId: ProjectId, timelineId: TimelineId, name: IndexName): string {
  assert(name.sequence > 0 && name.sequence <= SEQUENCE_MAX, 'index writes are counted from 1, in 8 hex digits')
  const suffix = name.kind === 'index' ? 'json' : 'deleted'
  return `${indexPrefix(projectId, timelineId)}${formatGeneration(name.generation)}-${formatGeneration(name.sequence)}.${suffix}`
}

/** What a key below `indexPrefix` names, or undefined for another key. */
export function parseIndexKey(key: string): IndexName | undefined {
  const match = /\/index-([0-9a-f]{8})(?:-([0-9a-f]{8})\.(json|deleted)|\.json)$/.exec(key)
  if (!match) return undefined
  return {
    generation: Number.parseInt(match[1]!, 16),
    sequence: match[2] === undefined ? 0 : Number.parseInt(match[2], 16),
    kind: match[3] === 'deleted' ? 'deletion' : 'index',
  }
}

/** Ascending by age: the last one counts. */
export function compareIndexNames(a: IndexName, b: IndexName): number {
  return a.generation - b.generation || a.sequence - b.sequence
}
