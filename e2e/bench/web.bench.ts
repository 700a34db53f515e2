import * as path from 'node:path'
import { type BrowserContext, chromium } from '@playwright/test'
import {
  type BenchContext,
  type BenchReport,
  median,
  percentile,
  rounded,
} from '../../packages/storage-engine/bench/bench-report.ts'
import { demoPlace } from '../fixtures/demo.ts'
import { startStack } from '../stack/stack.ts'
import { firstLoadKilobytes } from './first-load.ts'
import { panFrames } from './pan-timeline.ts'

const firstLoadBudgetKilobytes = 250
const framesPerSecondFloor = 50
/** CPU time that says the same on a loaded machine: with it, a frame leaves most of its 20 ms to the rest of the browser. */
const mainThreadBudgetMs = 3
const panSeconds = 5
/** The page counts as ready for use when its main thread had no task over 50 ms for this long. */
const quietMs = 500

/**
 * The built console in real Chromium, on a stack of its own: JavaScript a route loads first, time until a page can be used, and
 * frames of the timeline while it is panned over 500 branches with 5,000 marks. The tree is what the API would answer; the
 * components are the console's own.
 */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  const webFolder = path.join(path.dirname(path.dirname(import.meta.dirname)), 'apps', 'web')
  const firstLoad = firstLoadKilobytes(webFolder)
  for (const [route, size] of [...firstLoad].toSorted((a, b) => b[1] - a[1]).slice(0, 5)) {
    say(`${size.toFixed(1)} kB ${route}`)
  }
  const stack = await startStack()
  try {
    process.env.TRIBUTARY_E2E_STACK_JSON = JSON.stringify(stack.file)
    const browser = await chromium.launch({
      ...(process.env.CHROMIUM_PATH === undefined ? {} : { executablePath: process.env.CHROMIUM_PATH }),
      args: ['--no-sandbox', '--disable-gpu'],
    })
    try {
      const context = await browser.newContext({
        baseURL: stack.file.webUrl,
        viewport: { width: 1440, height: 900 },
      })
      const page = await context.newPage()
      await page.goto(stack.file.signInUrl)
      await page.getByRole('heading', { name: 'Projects', level: 1 }).waitFor()
      await page.close()
      const { projectId, branchId } = await demoPlace()
      const project = `/projects/${projectId}`
      const addresses = {
        projects: '/orgs/local',
        overview: project,
        timeline: `${project}/timeline`,
        branch: `${project}/branches/${branchId}`,
        sql: `${project}/sql`,
        tables: `${project}/tables`,
        storage: `${project}/storage`,
        monitoring: `${project}/monitoring`,
      }
      const interactive: Record<string, number> = {}
      for (const [name, address] of Object.entries(addresses)) {
        const samples: number[] = []
        for (let round = 0; round < (isQuick ? 1 : 5); round++) samples.push(await interactiveMs(context, address))
        interactive[name] = rounded(median(samples))
        say(`${name}: ready for use after ${interactive[name]} ms`)
      }
      const frames = await panFrames(context, `${project}/timeline`, isQuick ? 1 : panSeconds)
      say(
        `timeline: ${frames.perSecond.toFixed(1)} frames a second; CPU a frame: ${frames.mainThreadMs.toFixed(2)} ms on the main thread, ${frames.browserMs.toFixed(1)} ms in the whole browser`,
      )
      const largest = Math.max(...firstLoad.values())
      return {
        bench: 'web',
        figures: {
          firstLoadKilobytes: Object.fromEntries([...firstLoad].map(([route, size]) => [route, rounded(size)])),
          interactiveMs: interactive,
          timelineFramesPerSecond: rounded(frames.perSecond),
          timelineMainThreadMsPerFrame: rounded(frames.mainThreadMs),
          timelineBrowserMsPerFrame: rounded(frames.browserMs),
          timelineFrameMsP50: rounded(percentile(frames.durationsMs, 0.5)),
          timelineFrameMsP99: rounded(percentile(frames.durationsMs, 0.99)),
        },
        ratios: {
          largestFirstLoadOfBudget: rounded(largest / firstLoadBudgetKilobytes),
          timelineFramesOfFloor: rounded(frames.perSecond / framesPerSecondFloor),
          timelineMainThreadOfBudget: rounded(frames.mainThreadMs / mainThreadBudgetMs),
        },
      }
    } finally {
      await browser.close()
    }
  } finally {
    await stack.stop()
  }
}

/** From the start of the navigation, with nothing in the browser's cache, until the page shows its data and reacts at once. */
async function interactiveMs(context: BrowserContext, address: string): Promise<number> {
  const page = await context.newPage()
  const session = await context.newCDPSession(page)
  await session.send('Network.setCacheDisabled', { cacheDisabled: true })
  await page.addInitScript(() => {
    const tasks = { lastEndMs: 0 }
    Object.assign(window, { longTasks: tasks })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries())
        tasks.lastEndMs = Math.max(tasks.lastEndMs, entry.startTime + entry.duration)
    }).observe({ type: 'longtask', buffered: true })
  })
  await page.goto(address, { waitUntil: 'commit' })
  const shown = await page.waitForFunction(
    () => {
      const isBusy = document.querySelector('[aria-busy=true], [role=status][aria-label^=Loading]') !== null
      const heading = document.querySelector('main h1')
      return heading && !isBusy && heading.textContent !== '' ? performance.now() : false
    },
    undefined,
    { polling: 'raf', timeout: 60_000 },
  )
  const shownMs = Number(await shown.jsonValue())
  const ready = await page.waitForFunction(
    ([shownAt, quiet]) => {
      const { longTasks } = window as unknown as { longTasks: { lastEndMs: number } }
      const candidate = Math.max(shownAt ?? 0, longTasks.lastEndMs)
      return performance.now() - candidate >= (quiet ?? 0) ? candidate : false
    },
    [shownMs, quietMs],
    { polling: 50, timeout: 60_000 },
  )
  const readyMs = Number(await ready.jsonValue())
  await page.close()
  return readyMs
}
