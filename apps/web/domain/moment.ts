import { parseLsn } from '../lib/lsn.ts'

/** A point in a branch's history: its tip, or a position in the log, or a time. */
export type Moment =
  | { readonly kind: 'tip' }
  | { readonly kind: 'lsn'; readonly lsn: string }
  /** ISO 8601 in UTC. Means: at the end of the last commit at or before it. */
  | { readonly kind: 'time'; readonly time: string }

export const tip: Moment = { kind: 'tip' }

/** From an address: `0/16B3748`, `2026-01-02T03:04:05Z`, or nothing for the tip. Undefined: neither of them. */
export function parseMoment(text: string | null | undefined): Moment | undefined {
  if (!text) return tip
  if (parseLsn(text) !== undefined) return { kind: 'lsn', lsn: text.trim().toUpperCase() }
  const timeMs = Date.parse(text)
  return Number.isNaN(timeMs) ? undefined : { kind: 'time', time: new Date(timeMs).toISOString() }
}

/** The reverse of parseMoment. */
export function momentText(moment: Moment): string | undefined {
  switch (moment.kind) {
    case 'tip':
      return undefined
    case 'lsn':
      return moment.lsn
    case 'time':
      return moment.time
    default:
      return moment satisfies never
  }
}

/** As the API's PointInput wants it; undefined means the tip. */
export function pointInput(moment: Moment): { lsn: string } | { time: string } | undefined {
  switch (moment.kind) {
    case 'tip':
      return undefined
    case 'lsn':
      return { lsn: moment.lsn }
    case 'time':
      return { time: moment.time }
    default:
      return moment satisfies never
  }
}

/** Value of a datetime-local input for a moment, in the reader's zone, to the millisecond. */
export function toLocalInput(iso: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return ''
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 23)
}

/** The reverse; undefined while the field is incomplete. */
export function fromLocalInput(text: string): string | undefined {
  const timeMs = Date.parse(text)
  return Number.isNaN(timeMs) ? undefined : new Date(timeMs).toISOString()
}
