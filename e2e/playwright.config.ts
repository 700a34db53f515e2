import { defineConfig } from '@playwright/test'

/** Real Chromium against the whole real stack. One worker: the specs share the stack, and some of them kill parts of it. */
export default defineConfig({
  testDir: 'specs',
  workers: 1,
  fullyParallel: false,
  forbidOnly: process.env.CI !== undefined,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  globalSetup: './stack/global-setup.ts',
  outputDir: 'test-results',
  reporter: [['list'], ['json', { outputFile: process.env.TRIBUTARY_E2E_REPORT ?? 'test-results/report.json' }]],
  use: {
    viewport: { width: 1440, height: 900 },
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
})
