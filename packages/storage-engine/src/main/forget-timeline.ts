import { isStorageError, StorageError } from '../base/errors.ts'
import { callJson } from '../io/http-client.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import type { NodeAddress } from './storage-processes.ts'

const CALL_TIMEOUT_MS = 10_000

/**
 * Has every SafeKeeper drop its log of a timeline that the PageServer has deleted for good: until then nothing is touched,
 * and the call fails with `conflict`. `unavailable` when one of them, or the PageServer, does not answer: to be repeated.
 * `found`: one of them still had it.
 */
export async function forgetTimeline(
  storage: { readonly safekeepers: readonly NodeAddress[]; readonly pageserver: NodeAddress },
  projectId: ProjectId,
  timelineId: TimelineId,
): Promise<{ found: boolean }> {
  const { safekeepers, pageserver } = storage
  if (await exists(`${urlOf(pageserver)}/projects/${projectId}/timelines/${timelineId}`))
    throw new StorageError('conflict', 'the timeline is not deleted', { timelineId })
  const outcomes = await Promise.allSettled(
    safekeepers.map(async (safekeeper) => {
      const url = `${urlOf(safekeeper)}/timelines/${projectId}/${timelineId}`
      const found = await exists(url)
      // Also what is damaged and so not listed.
      await callJson(url, { method: 'DELETE', timeoutMs: CALL_TIMEOUT_MS })
      return found
    }),
  )
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) throw failed.reason
  return { found: outcomes.some((outcome) => outcome.status === 'fulfilled' && outcome.value) }
}

function urlOf({ host, httpPort }: NodeAddress): string {
  return `http://${host}:${httpPort}`
}

async function exists(url: string): Promise<boolean> {
  try {
    await callJson(url, { timeoutMs: CALL_TIMEOUT_MS })
    return true
  } catch (error) {
    if (isStorageError(error, 'not-found')) return false
    throw error
  }
}
