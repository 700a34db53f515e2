import { defineConfig } from 'vitest/config'

const pg = '{src,test}/**/*.pg.test.ts'
const e2e = 'test/e2e/**/*.test.ts'

/** The rungs of the ladder as projects, as in packages/storage-engine. */
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{src,test}/**/*.test.ts'],
          exclude: [pg, e2e],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      { test: { name: 'pg', include: [pg], exclude: [e2e], testTimeout: 120_000, hookTimeout: 120_000 } },
      {
        test: { name: 'e2e', include: [e2e], testTimeout: 600_000, hookTimeout: 240_000, fileParallelism: false },
      },
    ],
  },
})
