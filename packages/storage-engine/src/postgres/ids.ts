import { StorageError } from '../base/errors.ts'

declare const timelineIdTag: unique symbol
declare const projectIdTag: unique symbol

/** Storage identity of a branch: 32 lowercase hex digits. */
export type TimelineId = string & { readonly [timelineIdTag]: true }
/** Tenant of data: 32 lowercase hex digits. One WAL history tree, one system identifier. */
export type ProjectId = string & { readonly [projectIdTag]: true }

export const TimelineId = {
  parse(text: string): TimelineId {
    return parseHex(text, 'timeline id') as TimelineId
  },
} as const

export const ProjectId = {
  parse(text: string): ProjectId {
    return parseHex(text, 'project id') as ProjectId
  },
} as const

/** 16 random bytes as hex; give it bytes from the random seam. */
export function hexId(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function parseHex(text: string, what: string): string {
  if (!/^[0-9a-f]{32}$/.test(text))
    throw new StorageError('invalid-input', `not a ${what}`, { text: text.slice(0, 64) })
  return text
}
