import { StorageError } from '../base/errors.ts'
import { callBytes, callJson } from '../io/http-client.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { type BootBundle, decodeBootBundle } from '../protocol/boot-bundle.ts'

export interface HttpPeer {
  readonly host: string
  readonly httpPort: number
}

export interface TimelineStart {
  readonly systemIdentifier: bigint
  /** WAL of the timeline begins here. */
  readonly startLsn: Lsn
  readonly lastRecordLsn: Lsn
}

const CALL_TIMEOUT_MS = 5000
/** The PageServer waits this long for the WAL up to the LSN asked for. */
const BUNDLE_WAIT_MS = 30_000

/** What the PageServer knows of a timeline. */
export async function readTimelineStart(
  pageserver: HttpPeer,
  projectId: ProjectId,
  timelineId: TimelineId,
): Promise<TimelineStart> {
  const url = `http://${pageserver.host}:${pageserver.httpPort}/projects/${projectId}/timelines/${timelineId}`
  const info = fieldsOf(await callJson(url, { timeoutMs: CALL_TIMEOUT_MS }), url)
  return {
    systemIdentifier: BigInt(textField(info, 'systemIdentifier', url)),
    startLsn: Lsn.parse(textField(info, 'startLsn', url)),
    lastRecordLsn: Lsn.parse(textField(info, 'lastRecordLsn', url)),
  }
}

export async function readBootBundle(
  pageserver: HttpPeer,
  projectId: ProjectId,
  timelineId: TimelineId,
  lsn: Lsn,
): Promise<BootBundle> {
  const base = `http://${pageserver.host}:${pageserver.httpPort}/projects/${projectId}/timelines/${timelineId}`
  const url = `${base}/boot-bundle?lsn=${Lsn.format(lsn)}&waitMs=${BUNDLE_WAIT_MS}`
  const bundle = decodeBootBundle(await callBytes(url, { timeoutMs: BUNDLE_WAIT_MS + CALL_TIMEOUT_MS }))
  const { header } = bundle
  if (header.projectId !== projectId || header.timelineId !== timelineId || Lsn.parse(header.lsn) !== lsn) {
    throw new StorageError('corruption', 'boot bundle is of another timeline or lsn', {
      projectId: header.projectId,
      timelineId: header.timelineId,
      lsn: header.lsn,
    })
  }
  return bundle
}

/** Keeps `lsn` readable for `seconds`; the same id again renews. Throws `not-found` when it is collected already. */
export async function leaseLsn(
  pageserver: HttpPeer,
  projectId: ProjectId,
  timelineId: TimelineId,
  lease: { readonly id: string; readonly lsn: Lsn; readonly seconds: number },
): Promise<void> {
  const base = `http://${pageserver.host}:${pageserver.httpPort}/projects/${projectId}/timelines/${timelineId}`
  const body = { lsn: Lsn.format(lease.lsn), seconds: lease.seconds }
  await callJson(`${base}/leases/${lease.id}`, { method: 'PUT', body, timeoutMs: CALL_TIMEOUT_MS })
}

/** Leaves the statistics file of a stopped Postgres for the next compute. */
export async function saveStatistics(
  pageserver: HttpPeer,
  projectId: ProjectId,
  timelineId: TimelineId,
  lsn: Lsn,
  file: Uint8Array,
): Promise<void> {
  const base = `http://${pageserver.host}:${pageserver.httpPort}/projects/${projectId}/timelines/${timelineId}`
  const body = { lsn: Lsn.format(lsn), file: Buffer.from(file).toString('base64') }
  await callJson(`${base}/statistics`, { method: 'PUT', body, timeoutMs: CALL_TIMEOUT_MS })
}

function fieldsOf(value: unknown, url: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new StorageError('unavailable', 'reply is no object', { url })
  return value as Readonly<Record<string, unknown>>
}

function textField(fields: Readonly<Record<string, unknown>>, name: string, url: string): string {
  const value = fields[name]
  if (typeof value !== 'string') throw new StorageError('unavailable', `reply lacks ${name}`, { url })
  return value
}
