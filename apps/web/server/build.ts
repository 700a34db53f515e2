import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import * as path from 'node:path'
import { build } from 'esbuild'

/** `npm run build -w apps/web`: Next.js standalone with its static files beside it, then the program in front of it. */
const webFolder = path.dirname(import.meta.dirname)
const next = path.join(path.dirname(path.dirname(webFolder)), 'node_modules', 'next', 'dist', 'bin', 'next')

execFileSync(process.execPath, [next, 'build'], {
  cwd: webFolder,
  stdio: 'inherit',
  env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' },
})
const standalone = path.join(webFolder, '.next', 'standalone', 'apps', 'web')
fs.cpSync(path.join(webFolder, '.next', 'static'), path.join(standalone, '.next', 'static'), { recursive: true })
await build({
  entryPoints: [path.join(webFolder, 'server', 'main.ts')],
  outfile: path.join(webFolder, 'dist', 'main.mjs'),
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: true,
  logLevel: 'warning',
})
