import { expect, test } from 'vitest'
import { checkDocs, checkSource, checkSpecification } from '../../../scripts/tidy-rules.ts'

const source = (folder: string, text: string, name = 'x.ts') =>
  checkSource(`packages/storage-engine/src/${folder}/${name}`, text).map(({ message }) => message)

test('imports against the layer table, node modules in pure folders and missing extensions are found', () => {
  expect(source('redo', "import * as fs from 'node:fs'")).toEqual(['redo/ is pure, it may not import node:fs'])
  expect(source('redo', "import { a } from '../safekeeper/acceptor.ts'")).toEqual(['redo/ may not import safekeeper/'])
  expect(source('safekeeper', "import { a } from '../pageserver/key.ts'")).toEqual([
    'safekeeper/ may not import pageserver/',
  ])
  expect(source('safekeeper', "import * as fs from 'node:fs'")).toEqual([
    'safekeeper/ reaches the world through io/, it may not import node:fs',
  ])
  expect(source('base', "import { crc32 } from 'node:zlib'", 'crc32.ts')).toEqual([])
  expect(source('base', "import { crc32 } from 'node:zlib'")).toEqual(['base/ is pure, it may not import node:zlib'])
  expect(source('wal', "import { a } from './record'")).toEqual(['import without file extension: ./record'])
  expect(source('nowhere', "import { a } from '../base/assert.ts'")).toEqual([
    'folder nowhere/ is not in the layer table',
  ])
  expect(source('main', "import { a } from '../safekeeper/acceptor.ts'")).toEqual([])
  expect(source('wal', "import { a } from '../base/assert.ts'")).toEqual([])
})

test('calls that depend on more than their inputs are banned outside the edge, and in tests are not', () => {
  expect(source('safekeeper', 'const now = Date.now()')[0]).toContain('env.clock.nowMs()')
  expect(source('safekeeper', 'setTimeout(run, 5)')[0]).toContain('env.clock.setTimer()')
  expect(source('safekeeper', '// Date.now() would do')).toEqual([])
  expect(source('io', 'const now = Date.now()')).toEqual([])
  expect(source('safekeeper', 'const now = Date.now()', 'x.test.ts')).toEqual([])
})

test('barrels, catch-all names, only and left-over notes are found', () => {
  expect(source('wal', "export * from './record.ts'")).toContain('re-exports a whole file (barrel)')
  expect(source('wal', '', 'utils.ts')).toEqual(['catch-all file name utils.ts'])
  expect(source('wal', '', 'Wal_x.ts')).toEqual(['file name is not kebab-case'])
  expect(source('wal', "test.only('x', run)", 'x.test.ts')).toEqual(['.only'])
  expect(source('wal', `// ${'TO'}${'DO'} later`)).toEqual(['left-over note'])
  expect(source('wal', 'const a: any = 1')).toEqual(['any'])
})

test('paths in documents must exist, and invariants of a specification must name tests that exist', () => {
  const exists = (target: string) => target === 'docs/a.md'
  expect(checkDocs('README.md', 'see [a](docs/a.md) and `docs/b.md`', exists)).toHaveLength(1)
  const tests = [{ file: 'x.test.ts', text: "test('an acceptor keeps its word', run)" }]
  expect(checkSpecification('SPEC.md', 'I1, test: "an acceptor keeps its word"', tests)).toEqual([])
  expect(checkSpecification('SPEC.md', 'I1, test: "an acceptor never lies at all"', tests)).toHaveLength(1)
})

test('apps know the engine by its admin exports alone, the design system knows nobody, tests of the API may start the stack', () => {
  const found = (file: string, text: string) => checkSource(file, text).map(({ message }) => message)
  expect(found('apps/api/src/app.ts', "import { a } from '@tributary/storage-engine/admin'")).toEqual([])
  expect(found('apps/api/src/app.ts', "import { a } from '@tributary/storage-engine/wal'")).toHaveLength(1)
  expect(
    found('apps/api/src/app.ts', "import { a } from '../../../packages/storage-engine/src/io/log.ts'"),
  ).toHaveLength(1)
  expect(found('apps/api/src/db/x.ts', "import { a } from '../../../../prisma/seed/demo.ts'")).toEqual([])
  expect(
    found(
      'apps/api/test/e2e/x.test.ts',
      "import { a } from '../../../../packages/storage-engine/test/stack-fixture.ts'",
    ),
  ).toEqual([])
  expect(found('apps/web/features/x/x-screen.tsx', "import { a } from '@tributary/storage-engine/admin'")).toHaveLength(
    1,
  )
  expect(found('apps/web/features/x/x-screen.tsx', "import { Button } from '@tributary/ui/button'")).toEqual([])
  expect(found('packages/ui/src/button.tsx', "import { a } from '@tributary/web/x'")).toHaveLength(1)
  expect(found('apps/api/src/all.ts', "export * from './app.ts'")).toEqual(['re-exports a whole file (barrel)'])
  expect(found('apps/web/lib/myThing.ts', '')).toEqual(['file name is not kebab-case'])
})
