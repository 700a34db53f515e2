import type { Logger } from 'pino'
import { pause } from '../shared/pause.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { RouteProvider } from './route-provider.ts'

/**
 * Reports live connections to the API (it decides when an endpoint may sleep) and closes those that the answer says lie
 * at a compute which no longer serves the endpoint. While the API is away sessions go on. Runs until the signal aborts.
 */
export async function runConnectionReporter(options: {
  readonly sessions: LiveSessions
  readonly routes: Pick<RouteProvider, 'reportConnections'>
  readonly proxyId: string
  readonly intervalMs: number
  readonly log: Logger
  nowMs(): number
  readonly signal: AbortSignal
}): Promise<void> {
  const { sessions, routes, proxyId, intervalMs, log, signal } = options
  let isApiAway = false
  let wasEmpty = false
  while (!signal.aborted) {
    const endpoints = sessions.sweep(options.nowMs())
    // One empty report says that the last connection is gone; more of them say nothing.
    if (endpoints.length > 0 || !wasEmpty) {
      try {
        const answer = await routes.reportConnections({ proxyId, endpoints }, { signal })
        for (const { endpointId, address } of answer.current) {
          const ended = sessions.endElsewhere(endpointId, address)
          if (ended > 0) log.info({ endpoint: endpointId, ended, address }, 'sessions of a replaced compute ended')
        }
        if (isApiAway) log.info('connections are reported again')
        isApiAway = false
        wasEmpty = endpoints.length === 0
      } catch (error) {
        if (signal.aborted) return
        if (!isApiAway)
          log.warn({ error: error instanceof Error ? error.message : String(error) }, 'cannot report connections')
        isApiAway = true
      }
    }
    await pause(intervalMs, signal)
  }
}
