import { defineConfig } from 'vitest/config'

const pg = '{src,test,fixtures}/**/*.pg.test.ts'
const e2e = 'test/e2e/**/*.test.ts'
const interop = 'test/interop/**/*.test.ts'

/** The rungs of the ladder as projects: `npx vitest run --project unit`. Without --project a file runs in the one it belongs to. */
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{src,test,fixtures,bench}/**/*.test.ts'],
          exclude: [pg, e2e, interop],
          testTimeout: 240_000,
          hookTimeout: 120_000,
        },
      },
      { test: { name: 'pg', include: [pg], exclude: [e2e], testTimeout: 300_000, hookTimeout: 120_000 } },
      { test: { name: 'interop', include: [interop], testTimeout: 120_000, hookTimeout: 60_000 } },
      { test: { name: 'sim', include: ['sim/**/*.test.ts'], testTimeout: 900_000, hookTimeout: 60_000 } },
      {
        test: {
          name: 'differential',
          include: ['differential/**/*.test.ts'],
          testTimeout: 1_200_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: { name: 'e2e', include: [e2e], testTimeout: 600_000, hookTimeout: 180_000, fileParallelism: false },
      },
    ],
  },
})
