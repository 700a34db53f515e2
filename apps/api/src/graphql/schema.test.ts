import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import * as path from 'node:path'
import { expect, test } from 'vitest'

const folder = path.resolve(import.meta.dirname, '..', '..')

test('schema.graphql is what the API serves (npx tsx src/main/print-schema.ts > schema.graphql)', () => {
  // A process of its own: the test runner and the schema builder would load two copies of the graphql package.
  const served = execFileSync(process.execPath, ['--import', 'tsx', 'src/main/print-schema.ts'], {
    cwd: folder,
    encoding: 'utf8',
  })
  expect(fs.readFileSync(path.join(folder, 'schema.graphql'), 'utf8')).toBe(served)
})
