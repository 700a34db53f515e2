import * as fs from 'node:fs'
import * as path from 'node:path'
import { build, type Plugin } from 'esbuild'
import { buildWeb } from './build-web.ts'
import { generate } from './generate.ts'
import { apiFolder, engineFolder, listFiles } from './repository.ts'

/**
 * Bundles the programs of the engine and of the API, and every worker entry (src/**\/*.worker.ts), to dist/ at the same
 * relative path; builds the console when it has changed. npm packages stay outside: some carry WebAssembly or native parts
 * beside their code. `--engine` builds the engine alone, `--without-console` leaves the console out.
 */
const enginePrograms = [
  'safekeeper.ts',
  'pageserver.ts',
  'compute.ts',
  'query-worker.ts',
  'local-stack.ts',
  'end-with-parent.ts',
]
const apiPrograms = ['api.ts', 'proxy.ts']

/** Our own workspaces are TypeScript and go into the bundle; every other package stays outside. */
const packagesOutside: Plugin = {
  name: 'packages-outside',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path: name, kind }) =>
      kind === 'entry-point' || name.startsWith('@tributary/') ? undefined : { path: name, external: true },
    )
  },
}

async function bundle(folder: string, programs: readonly string[]): Promise<void> {
  const startedMs = performance.now()
  const source = path.join(folder, 'src')
  const entryPoints = listFiles(source).filter(
    (file) => file.endsWith('.worker.ts') || programs.some((name) => file === path.join(source, 'main', name)),
  )
  if (entryPoints.length === 0) return
  const outdir = path.join(folder, 'dist')
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
    plugins: [packagesOutside],
    sourcemap: true,
    logLevel: 'warning',
  })
  // Programs that run from the old build keep their open files; a start in between finds the one or the other.
  const old = `${outdir}.${process.pid}.old`
  if (fs.existsSync(outdir)) fs.renameSync(outdir, old)
  fs.renameSync(fresh, outdir)
  fs.rmSync(old, { recursive: true, force: true })
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  console.log(`built ${entryPoints.length} programs and workers of ${path.basename(folder)} in ${seconds} s`)
}

await bundle(engineFolder, enginePrograms)
if (!process.argv.includes('--engine')) {
  await generate()
  await bundle(apiFolder, apiPrograms)
  if (!process.argv.includes('--without-console')) await buildWeb()
}
