import { z } from 'zod'
import { isStorageError } from '../base/errors.ts'
import { callJson } from '../io/http-client.ts'
import type { NodeEnv } from '../io/node-env.ts'
import { TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { ComputeConfig } from './compute-config.ts'

const WAIT_MS = 40_000
const RETRY_MS = 100
const ATTEMPTS_MAX = 100

const reply = z.object({ timelineId: z.string(), lsn: z.string() })

export interface ReadPoint {
  /** The timeline asked for, or the ancestor whose own WAL holds the LSN. */
  readonly timelineId: TimelineId
  /** End of the last record at or before the LSN asked for. */
  readonly lsn: Lsn
}

/**
 * Where a read-only compute reads, settled by the PageServer; waits for storage that is still starting. Rejects with
 * `invalid-input` for an LSN outside the history. The compute leases the LSN itself.
 */
export async function openReadPoint(env: NodeEnv, config: ComputeConfig, lsn: Lsn): Promise<ReadPoint> {
  const { pageserver, projectId, timelineId } = config
  const base = `http://${pageserver.host}:${pageserver.httpPort}/projects/${projectId}/timelines`
  const url = `${base}/${timelineId}/read-point?lsn=${Lsn.format(lsn)}`
  for (let attempt = 0; ; attempt++) {
    try {
      const found = reply.parse(await callJson(url, { timeoutMs: WAIT_MS }))
      return { timelineId: TimelineId.parse(found.timelineId), lsn: Lsn.parse(found.lsn) }
    } catch (error) {
      if (!isStorageError(error) || !error.retryable || attempt >= ATTEMPTS_MAX) throw error
      await env.clock.sleep(RETRY_MS)
    }
  }
}
