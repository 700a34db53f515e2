import { errorText } from '@tributary/storage-engine/admin'
import type { App } from '../app.ts'
import { pause } from '../shared/pause.ts'
import type { Metering } from './metering.ts'
import type { Reconciler } from './reconciler.ts'
import type { Retention } from './retention.ts'
import type { TipWatch } from './tip-watch.ts'

const TIPS_MS = 2000
const STORAGE_SAMPLE_MS = 60_000
const EXPIRY_MS = 5000
const TRIM_MS = 3600_000
/** Of LSNs and of nodes that hang: with the second that a silent node has to answer, it shows in less than two. */
const STATUS_MS = 900
/** What the supervisor notices is told at once; this is the wait before asking again after a lost answer. */
const WATCH_AGAIN_MS = 2000
const FORGOTTEN_MS = 30_000

/** Everything that runs by the clock. Each loop waits for its own pass to end before the next. */
export async function runLoops(
  app: App,
  parts: { reconciler: Reconciler; metering: Metering; retention: Retention; tips: TipWatch },
  signal: AbortSignal,
): Promise<void> {
  const { reconciler, metering, retention, tips } = parts
  const every = async (name: string, ms: number, pass: () => Promise<void> | void) => {
    while (!signal.aborted) {
      try {
        await pass()
      } catch (error) {
        if (!signal.aborted) app.log.warn({ loop: name, error: errorText(error) }, 'a pass failed, goes on later')
      }
      await pause(ms, signal)
    }
  }
  await Promise.all([
    reconciler.run(signal),
    every('tips', TIPS_MS, () => tips.pass()),
    every('metering', app.config.meteringMs, () => metering.pass()),
    every('storage samples', STORAGE_SAMPLE_MS, () => metering.sampleStorage()),
    every('expiry', EXPIRY_MS, () => retention.expire()),
    every('deleted timelines', EXPIRY_MS, () => retention.forgetDeletedTimelines()),
    every('retention', TRIM_MS, () => retention.trim()),
    every('forgotten operations', FORGOTTEN_MS, () => app.operations.startForgotten()),
    every('storage status', STATUS_MS, () => app.bus.publish('storageStatus', {})),
    every('processes', WATCH_AGAIN_MS, () => app.stack.watch(() => app.bus.publish('storageStatus', {}), { signal })),
    app.demo.runWorkload(signal),
  ])
}
