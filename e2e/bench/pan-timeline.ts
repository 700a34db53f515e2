import type { Browser, BrowserContext, CDPSession, Page } from '@playwright/test'
import { manyBranches } from './many-branches.ts'

const branchCount = 500
const markCount = 5_000

export interface Frames {
  readonly perSecond: number
  readonly durationsMs: readonly number[]
  /** CPU time of the page's main thread for one frame. It does not grow when other programs take the processor. */
  readonly mainThreadMs: number
  /** CPU time of all processes of the browser for one frame: drawing and putting together what is on the screen, too. */
  readonly browserMs: number
}

/** Zooms in, then pans to and fro and scrolls down the lanes, one step a frame, and counts the frames the browser makes. */
export async function panFrames(context: BrowserContext, address: string, seconds: number): Promise<Frames> {
  const page = await context.newPage()
  await answerTimeline(page)
  await page.goto(address)
  const picture = page.getByRole('group', { name: /Timeline of branches/ })
  await picture.waitFor()
  await page
    .getByRole('cell', { name: /^branch-\d+$/ })
    .first()
    .waitFor()
  for (let step = 0; step < 2; step++) await page.getByRole('button', { name: 'Zoom in' }).click()
  const session = await context.newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const browserSession = await browserOf(context).newBrowserCDPSession()
  const beforeMs = await mainThreadMs(session)
  const browserBeforeMs = await browserCpuMs(browserSession)
  const durationsMs = await picture.evaluate(async (node, forMs) => {
    const durations: number[] = []
    const startedMs = performance.now()
    let lastMs = startedMs
    let frame = 0
    await new Promise<number>((resolve) => requestAnimationFrame(resolve))
    while (lastMs - startedMs < forMs) {
      const deltaX = Math.floor(frame / 60) % 2 === 0 ? 12 : -12
      node.dispatchEvent(new WheelEvent('wheel', { deltaX, bubbles: true, cancelable: true }))
      if (frame % 4 === 0) node.scrollTop += 11
      frame += 1
      const nowMs = await new Promise<number>((resolve) => requestAnimationFrame(resolve))
      durations.push(nowMs - lastMs)
      lastMs = nowMs
    }
    return durations.slice(1)
  }, seconds * 1000)
  const spentMs = (await mainThreadMs(session)) - beforeMs
  const browserSpentMs = (await browserCpuMs(browserSession)) - browserBeforeMs
  await browserSession.detach()
  await page.close()
  const totalMs = durationsMs.reduce((sum, each) => sum + each, 0)
  return {
    perSecond: (durationsMs.length * 1000) / totalMs,
    durationsMs,
    mainThreadMs: spentMs / durationsMs.length,
    browserMs: browserSpentMs / durationsMs.length,
  }
}

function browserOf(context: BrowserContext): Browser {
  const browser = context.browser()
  if (!browser) throw new Error('the context has no browser of its own')
  return browser
}

async function browserCpuMs(session: CDPSession): Promise<number> {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0) * 1000
}

async function mainThreadMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics')
  return (metrics.find((metric) => metric.name === 'TaskDuration')?.value ?? Number.NaN) * 1000
}

/** The timeline query alone is answered from here; everything else goes to the API. */
async function answerTimeline(page: Page): Promise<void> {
  const timeline = manyBranches(branchCount, markCount)
  await page.route('**/graphql', async (route) => {
    const body = route.request().postDataJSON() as { operationName?: string; variables?: { id?: string } } | null
    if (body?.operationName !== 'ProjectTimeline') return route.fallback()
    await route.fulfill({ json: { data: { project: { id: body.variables?.id, viewerCanWrite: true, timeline } } } })
  })
}
