import * as path from 'node:path'

export interface Problem {
  readonly file: string
  readonly line: number
  readonly message: string
}

/** Which folder of packages/storage-engine/src may import which. Arrows go up the table only. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  base: [],
  io: ['base'],
  'object-store': ['base', 'io'],
  postgres: ['base'],
  wal: ['base', 'postgres'],
  redo: ['base', 'postgres', 'wal'],
  protocol: ['base', 'io', 'postgres', 'wal'],
  parquet: ['base'],
  columnar: ['base', 'postgres', 'parquet'],
  catalog: ['base', 'postgres', 'parquet', 'columnar'],
  'delta-log': ['base', 'io', 'object-store', 'parquet'],
  safekeeper: ['base', 'io', 'object-store', 'postgres', 'wal', 'protocol'],
  pageserver: [
    'base',
    'io',
    'object-store',
    'postgres',
    'wal',
    'redo',
    'parquet',
    'columnar',
    'catalog',
    'protocol',
    'admin',
  ],
  'delta-writer': ['base', 'io', 'object-store', 'postgres', 'parquet', 'columnar', 'delta-log', 'protocol'],
  query: ['base', 'io', 'object-store', 'postgres', 'parquet', 'columnar', 'catalog', 'protocol', 'admin'],
  compute: ['base', 'io', 'postgres', 'wal', 'protocol', 'admin'],
  fuse: ['base', 'io', 'postgres', 'protocol'],
  admin: ['base', 'io', 'postgres', 'protocol'],
}

/** Knowledge, proved by fixtures: no Node.js, no clock, no randomness, no log. */
const pureFolders = new Set(['base', 'postgres', 'wal', 'redo', 'protocol', 'parquet', 'columnar', 'catalog'])

/** Pure functions of their input that Node.js has at machine speed: the files that may import them. */
const pureImports = new Map([
  ['packages/storage-engine/src/base/crc32.ts', 'node:zlib'],
  ['packages/storage-engine/src/base/zstd.ts', 'node:zlib'],
])

/** Contact with the world: these alone may use node:* modules. */
const worldlyFolders = new Set(['io', 'object-store', 'main', 'compute', 'fuse'])

/** Calls that make a run depend on more than its inputs, with what to use instead. */
const bannedCalls: readonly [pattern: RegExp, instead: string][] = [
  [/\bDate\.now\(/, 'env.clock.nowMs()'],
  [/\bnew Date\(\)/, 'env.clock.nowMs()'],
  [/\bperformance\.now\(/, 'env.clock.monotonicMs()'],
  [/\bMath\.random\(/, 'env.random'],
  [/\brandomUUID\(/, 'env.random'],
  [/\b(setTimeout|setInterval)\(/, 'env.clock.setTimer()'],
  [/\bAbortSignal\.timeout\(/, 'env.clock'],
  [/\bprocess\.env\b/, 'the configuration'],
  [/\bconsole\.\w+\(/, 'env.log'],
]

/** Banned everywhere. */
const bannedText: readonly [pattern: RegExp, message: string][] = [
  [/\b(TODO|FIXME|XXX)\b/, 'left-over note'],
  [/@ts-ignore|@ts-nocheck/, 'switches the type checker off'],
  [/:\s*any\b(?!.*biome-ignore)|\bas any\b|<any>/, 'any'],
  [/\b(describe|test|it)\.only\(/, '.only'],
  [/^\s*(await )?using /, "using: not run by Node.js 20's own parser"],
]

const importPattern = /(?:from|import)\s*\(?\s*'([^']+)'/

export function checkSource(file: string, text: string): Problem[] {
  const problems: Problem[] = []
  const add = (line: number, message: string) => problems.push({ file, line, message })
  const place = placeOf(file)
  const isTest = /\.(test|fuzz|contract|bench)\.tsx?$/.test(file) || (place.kind !== 'source' && !isAppSource(file))
  const name = path.basename(file)
  if (!/^[a-z0-9]+([-.][a-z0-9]+)*\.tsx?$/.test(name)) add(1, 'file name is not kebab-case')
  if (place.kind === 'source' && /^(index|utils|common|types|helpers)\.ts$/.test(name))
    add(1, `catch-all file name ${name}`)

  let isInTemplate = false
  let lastLine = ''
  for (const [index, line] of text.split('\n').entries()) {
    const number = index + 1
    const code = stripComment(line)
    const isExcused = /biome-ignore/.test(lastLine)
    lastLine = line
    if (file !== 'scripts/tidy-rules.ts' && !/tidy-rules\.test\.ts$/.test(file)) {
      for (const [pattern, message] of bannedText) {
        if (pattern.test(message === 'left-over note' ? line : code) && !isExcused && !isInTemplate)
          add(number, message)
      }
    }
    if ((code.match(/(?<!\\)`/g)?.length ?? 0) % 2 === 1) isInTemplate = !isInTemplate
    const anyImport = importPattern.exec(code)?.[1]
    const workspaceProblem = anyImport === undefined ? undefined : checkWorkspaceImport(file, anyImport)
    if (workspaceProblem) add(number, workspaceProblem)
    if (place.kind !== 'source') continue
    const imported = importPattern.exec(code)?.[1]
    if (imported !== undefined) {
      const message = checkImport(file, place.folder, imported, isTest)
      if (message) add(number, message)
    }
    if (isTest || isInTemplate || worldlyFolders.has(place.folder)) continue
    for (const [pattern, instead] of bannedCalls) {
      if (pattern.test(code)) add(number, `${pattern.source.replace(/\\[b.(]?/g, '')} is banned here, use ${instead}`)
    }
  }
  if ((place.kind === 'source' || isAppSource(file)) && !isTest && /^export \* from/m.test(text))
    add(1, 're-exports a whole file (barrel)')
  return problems
}

/** A workspace other than the engine, with what it may import of the others. */
const workspaces: readonly { readonly folder: string; readonly may: RegExp; readonly says: string }[] = [
  {
    folder: 'apps/api/',
    may: /^@tributary\/storage-engine\/admin$/,
    says: 'apps/api knows the engine by @tributary/storage-engine/admin alone',
  },
  { folder: 'apps/web/', may: /^@tributary\/ui\//, says: 'apps/web knows the API by GraphQL, and packages/ui' },
  { folder: 'packages/ui/', may: /^$/, says: 'packages/ui knows nothing of the other workspaces' },
]

/** Tests of the API start the real stack, so that they may reach for its fixture. */
function checkWorkspaceImport(file: string, imported: string): string | undefined {
  const own = file.split(path.sep).join('/')
  const workspace = workspaces.find(({ folder }) => own.startsWith(folder))
  if (!workspace || /^apps\/api\/(test|bench)\//.test(own) || /\.(pg\.)?test\.ts$/.test(own)) return undefined
  if (imported.startsWith('@tributary/')) return workspace.may.test(imported) ? undefined : workspace.says
  if (!imported.startsWith('.')) return undefined
  const target = path.posix.join(path.posix.dirname(own), imported)
  const isInside = target.startsWith(workspace.folder) || target.startsWith('prisma')
  return isInside ? undefined : `${workspace.says}: ${imported}`
}

function isAppSource(file: string): boolean {
  const own = file.split(path.sep).join('/')
  return workspaces.some(({ folder }) => own.startsWith(folder)) && !/\/(test|bench)\//.test(own)
}

/** Where a file of the engine lies: `folder` is the one below src/. */
function placeOf(file: string): { kind: 'source' | 'other'; folder: string } {
  const match = /^packages\/storage-engine\/src\/([^/]+)\//.exec(file.split(path.sep).join('/'))
  return match ? { kind: 'source', folder: match[1] ?? '' } : { kind: 'other', folder: '' }
}

function checkImport(file: string, folder: string, imported: string, isTest: boolean): string | undefined {
  if (isTest) return undefined
  if (imported.startsWith('node:')) {
    if (pureImports.get(file.split(path.sep).join('/')) === imported) return undefined
    if (pureFolders.has(folder)) return `${folder}/ is pure, it may not import ${imported}`
    if (!worldlyFolders.has(folder)) return `${folder}/ reaches the world through io/, it may not import ${imported}`
    return undefined
  }
  if (!imported.startsWith('.')) return undefined
  if (!/\.(ts|json)$/.test(imported)) return `import without file extension: ${imported}`
  const target = path.posix.join(path.posix.dirname(file.split(path.sep).join('/')), imported)
  const targetPlace = placeOf(target)
  if (targetPlace.kind !== 'source') return `source may not import ${imported} from outside src/`
  if (folder === 'main' || targetPlace.folder === folder) return undefined
  const allowed = mayImport[folder]
  if (!allowed) return `folder ${folder}/ is not in the layer table`
  return allowed.includes(targetPlace.folder) ? undefined : `${folder}/ may not import ${targetPlace.folder}/`
}

function stripComment(line: string): string {
  const trimmed = line.trim()
  if (trimmed.startsWith('//') || trimmed.startsWith('*') || trimmed.startsWith('/*')) return ''
  return line.replace(/\s\/\/ .*$/, '')
}

/** Every path in backquotes that looks like one of ours must exist. */
export function checkDocs(file: string, text: string, exists: (target: string) => boolean): Problem[] {
  const problems: Problem[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const targets = [
      ...[...line.matchAll(/`([\w./-]+\/[\w.-]+\.(?:ts|md|json|mjs))`/g)].map((match) => match[1] ?? ''),
      ...[...line.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)].map((match) => match[1] ?? ''),
    ]
    for (const target of targets) {
      if (!exists(target))
        problems.push({ file, line: index + 1, message: `names a path that does not exist: ${target}` })
    }
  }
  return problems
}

/** Each invariant of a SPEC.md names the tests that enforce it, in double quotes after "test:". They must exist. */
export function checkSpecification(
  file: string,
  text: string,
  tests: readonly { readonly file: string; readonly text: string }[],
): Problem[] {
  const problems: Problem[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (!/\btests?:/i.test(line)) continue
    const titles = [...line.slice(line.search(/\btests?:/i)).matchAll(/["“`]([^"”`]{12,})["”`]/g)].map(
      (match) => match[1] ?? '',
    )
    for (const title of titles) {
      if (/^[\w./-]+\.ts$/.test(title)) continue
      if (!tests.some((source) => source.text.includes(title))) {
        problems.push({ file, line: index + 1, message: `names a test that does not exist: ${title}` })
      }
    }
  }
  return problems
}
