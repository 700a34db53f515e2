import * as path from 'node:path'
import { type Browser, type BrowserContext, expect, type Page } from '@playwright/test'
import type { Scene } from './scenes.ts'

export const colorSchemes = ['light', 'dark'] as const
export const widths = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const

/** What holds the picture up: skeletons, and buttons that wait for an answer. */
const unfinished = '[aria-busy=true], [role=status][aria-label^=Loading]'
/** Charts draw themselves anew after a change of size. */
const settleMs = 350

export interface PictureOptions {
  readonly browser: Browser
  readonly webUrl: string
  readonly session: Awaited<ReturnType<BrowserContext['storageState']>>
  readonly folder: string
  say(line: string): void
}

/** Every scene in light and dark, wide and on a phone: `folder/NAME.WIDTH.SCHEME.png`. Resolves to what went wrong, by scene. */
export async function takePictures(scenes: readonly Scene[], options: PictureOptions): Promise<string[]> {
  const failures: string[] = []
  for (const [width, viewport] of Object.entries(widths)) {
    const isPhone = width === 'phone'
    const shared = { baseURL: options.webUrl, viewport, hasTouch: isPhone, deviceScaleFactor: isPhone ? 2 : 1 }
    const owner = await options.browser.newContext({ ...shared, storageState: options.session })
    const nobody = await options.browser.newContext(shared)
    for (const scene of scenes) {
      const page = await (scene.isSignedIn === false ? nobody : owner).newPage()
      const said = await takeScene(page, scene, (scheme) =>
        path.join(options.folder, `${scene.name}.${width}.${scheme}.png`),
      ).catch((error: unknown) => String(error).split('\n')[0] ?? '')
      if (said) failures.push(`${scene.name} ${width}: ${said}`)
      options.say(`${said ? 'FAILED' : 'ok'} ${scene.name} ${width}`)
      await page.close()
    }
    await owner.close()
    await nobody.close()
  }
  return failures
}

/** Also says where the page is wider than its window: that is never meant. */
async function takeScene(
  page: Page,
  scene: Scene,
  fileFor: (scheme: (typeof colorSchemes)[number]) => string,
): Promise<string | undefined> {
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
  await page.goto(scene.address)
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await scene.prepare?.(page)
  await expect(page.locator(unfinished)).toHaveCount(0)
  // The window as high as the page: what sticks to the window's edges is where a reader sees it.
  const viewport = page.viewportSize()
  const heightPx = await page.evaluate(() => {
    window.scrollTo(0, 0)
    return document.documentElement.scrollHeight
  })
  if (viewport) await page.setViewportSize({ ...viewport, height: Math.max(viewport.height, heightPx) })
  for (const colorScheme of colorSchemes) {
    await page.emulateMedia({ colorScheme })
    await expect(page.locator('html')).toHaveClass(new RegExp(`\\b${colorScheme}\\b`))
    await page.waitForTimeout(settleMs)
    await page.screenshot({ path: fileFor(colorScheme) })
  }
  const [scrolled, shown] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ])
  return (scrolled ?? 0) > (shown ?? 0) ? `the page is ${scrolled} px wide in a window of ${shown} px` : undefined
}
