import { errorText, isStorageError, StorageError } from '../base/errors.ts'
import type { QuorumLog } from '../compute/quorum-log.ts'
import { readTimelineStart, type TimelineStart } from '../compute/storage-calls.ts'
import { callJson } from '../io/http-client.ts'
import type { NodeEnv } from '../io/node-env.ts'
import { Lsn } from '../postgres/lsn.ts'
import { openProposer, type Proposer } from '../safekeeper/proposer-service.ts'
import type { ComputeConfig } from './compute-config.ts'
import type { CuttableNetwork } from './cuttable-network.ts'

const CREATE_TIMEOUT_MS = 3000
const RETRY_DELAY_MS = 100

/** The SafeKeepers as the compute's log: makes the timeline on them where it is new, then runs the proposer. */
export function openComputeQuorum(
  env: NodeEnv & { readonly network: CuttableNetwork },
  config: ComputeConfig,
): QuorumLog {
  let proposer: Proposer | undefined
  const closing = new AbortController()
  const log: QuorumLog = {
    onCommit: () => undefined,
    onFenced: () => undefined,
    onQuorumLost: () => undefined,
    get commitLsn() {
      return proposer?.commitLsn ?? Lsn.zero
    },

    async elect() {
      const timeline = await retry(env, closing.signal, 'read timeline', () =>
        readTimelineStart(config.pageserver, config.projectId, config.timelineId),
      )
      await retry(env, closing.signal, 'make the timeline on the safekeepers', () => createOnMajority(config, timeline))
      proposer = openProposer({
        env,
        peers: config.safekeepers.map(({ id, host, port }) => ({ id, address: { host, port } })),
        projectId: config.projectId,
        timelineId: config.timelineId,
        systemIdentifier: timeline.systemIdentifier,
        leaseMs: config.quorumLeaseMs,
        ingestLagBytesMax: config.ingestLagBytesMax,
        onCommit: (lsn) => log.onCommit(lsn),
        onFenced: (term) => log.onFenced(new StorageError('fenced', 'another compute has taken over', { term })),
        onQuorumLost: () => log.onQuorumLost(),
      })
      const { term, startLsn } = await proposer.elect({ signal: closing.signal })
      return { term, endLsn: startLsn }
    },

    append(lsn, bytes) {
      if (!proposer) throw new StorageError('invalid-input', 'append before the election')
      if (proposer.isFenced) return true
      return proposer.append(lsn, bytes)
    },

    hasRoom: () => proposer?.hasRoom() ?? Promise.resolve(),

    endThrottle: () => proposer?.endThrottle(),

    ingestLag: () => proposer?.ingestLag,

    peers: () =>
      (proposer?.peerStatuses() ?? []).map((peer) => {
        const { host, port } = config.safekeepers.find(({ id }) => id === peer.id)!
        return {
          ...peer,
          isCut: env.network.isCut({ host, port }),
          flushLsn: Lsn.format(peer.flushLsn),
          lastError: peer.lastError ?? null,
        }
      }),

    async close() {
      closing.abort()
      await proposer?.close()
    },
  }
  return log
}

/** Idempotent on each. The rest gets the timeline as soon as a majority has it: they learn of it from their peers. */
async function createOnMajority(config: ComputeConfig, timeline: TimelineStart): Promise<void> {
  const body = {
    projectId: config.projectId,
    timelineId: config.timelineId,
    systemIdentifier: String(timeline.systemIdentifier),
    startLsn: Lsn.format(timeline.startLsn),
  }
  const needed = Math.floor(config.safekeepers.length / 2) + 1
  let made = 0
  let failed = 0
  await new Promise<void>((resolve, reject) => {
    for (const { host, httpPort } of config.safekeepers) {
      callJson(`http://${host}:${httpPort}/timelines`, { method: 'POST', body, timeoutMs: CREATE_TIMEOUT_MS }).then(
        () => {
          made++
          if (made === needed) resolve()
        },
        (error: unknown) => {
          failed++
          if (failed > config.safekeepers.length - needed) reject(error)
        },
      )
    }
  })
}

/** Until it works or the compute is stopped: storage that is still starting is no reason to fail. */
async function retry<T>(env: NodeEnv, signal: AbortSignal, what: string, work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isStorageError(error) || !error.retryable) throw error
      if (attempt % 50 === 0) env.log.warn(`cannot ${what}, will retry`, { reason: errorText(error) })
      await env.clock.sleep(RETRY_DELAY_MS, { signal })
    }
  }
}
