import * as fs from 'node:fs'
import * as path from 'node:path'
import { build } from 'esbuild'
import { engineFolder, listFiles } from './repository.ts'

/**
 * Bundles every program and every worker entry (src/**\/*.worker.ts) to dist/,
 * at the same relative path. npm packages stay outside: some carry WebAssembly or native parts beside their code.
 */
const source = path.join(engineFolder, 'src')
const startedMs = performance.now()

/** Programs of main/; the other files there are their parts. */
const programs = [
  'safekeeper.ts',
  'pageserver.ts',
  'compute.ts',
  'query-worker.ts',
  'local-stack.ts',
  'end-with-parent.ts',
]

const entryPoints = listFiles(source).filter(
  (file) => file.endsWith('.worker.ts') || programs.some((name) => file === path.join(source, 'main', name)),
)

const outdir = path.join(engineFolder, 'dist')
const fresh = `${outdir}.${process.pid}.new`
await build({
  entryPoints,
  outbase: source,
  outdir: fresh,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
})
// Programs that run from the old build keep their open files; a start in between finds the one or the other.
const old = `${outdir}.${process.pid}.old`
if (fs.existsSync(outdir)) fs.renameSync(outdir, old)
fs.renameSync(fresh, outdir)
fs.rmSync(old, { recursive: true, force: true })
console.log(
  `built ${entryPoints.length} programs and workers in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`,
)
