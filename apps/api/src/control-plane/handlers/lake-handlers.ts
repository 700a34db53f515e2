import { z } from 'zod'
import type { App } from '../../app.ts'
import { storageIds } from '../compute-control.ts'
import type { CancellableHandler } from '../operations/operation-runner.ts'

export const publishLakeInput = z.object({
  table: z.object({ database: z.string(), schema: z.string(), name: z.string() }).nullable(),
})

/** Makes a Delta version of one table, or of all. Publishing what is published already makes nothing new. */
export function publishLakeHandler(app: App): CancellableHandler {
  return {
    async run(operation, steps) {
      const { table } = publishLakeInput.parse(operation.input)
      await steps.run('publish', async () => {
        const branch = await app.database.branch.findUnique({
          where: { id: operation.branchId ?? '' },
          include: { project: true },
        })
        if (!branch) return
        const outcome = await app.storage.publishTables({
          ...storageIds(branch.project, branch),
          ...(table === null ? {} : { table }),
        })
        const [refused] = outcome.refused
        if (table !== null && refused) throw new Error(`${refused.schema}.${refused.name}: ${refused.reason}`)
      })
    },
    onFailure: async () => undefined,
    onCancel: async () => undefined,
  }
}
