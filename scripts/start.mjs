// `npm start`: installs what is missing, builds what has changed, runs the local stack until Ctrl-C. Plain Node.js.
//   --dev      everything from source, the console with reload
//   --engine   storage and one compute alone: no API, no proxy, no console
import { spawn } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installDependencies } from './install.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const isDevelopment = process.argv.includes('--dev')
const isEngineAlone = process.argv.includes('--engine')
const engine = join(root, 'packages', 'storage-engine')

await installDependencies(root)

function run(args) {
  return spawn(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      NODE_NO_WARNINGS: '1',
      // Where home is does not depend on where npm was called.
      TRIBUTARY_HOME: resolve(root, process.env.TRIBUTARY_HOME || '.tributary'),
      ...(isEngineAlone ? {} : { TRIBUTARY_APPS_FOLDER: join(root, 'apps') }),
    },
  })
}

// Ctrl-C reaches what runs directly, as a member of the same process group; the stack stops its processes and exits.
let running
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => running?.kill('SIGTERM'))

function finish(args) {
  running = run(args)
  return new Promise((done) => running.on('exit', (code, signal) => done(signal ? 1 : (code ?? 1))))
}

const build = isDevelopment
  ? [join(root, 'scripts', 'generate.ts')]
  : [join(root, 'scripts', 'build.ts'), ...(isEngineAlone ? ['--engine'] : [])]
const buildCode = await finish(['--import', 'tsx', ...build])
if (buildCode !== 0) process.exit(1)

process.exit(
  await finish(
    isDevelopment
      ? ['--import', 'tsx', join(engine, 'src', 'main', 'local-stack.ts')]
      : ['--enable-source-maps', join(engine, 'dist', 'main', 'local-stack.mjs')],
  ),
)
