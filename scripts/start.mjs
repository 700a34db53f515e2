// `npm start`: installs what is missing, builds, runs the local stack until Ctrl-C. Plain Node.js.
import { spawn } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installDependencies } from './install.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const isDevelopment = process.argv.includes('--dev')
const engine = join(root, 'packages', 'storage-engine')

await installDependencies(root)

function run(args) {
  return spawn(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    // Where home is does not depend on where npm was called.
    env: {
      ...process.env,
      NODE_NO_WARNINGS: '1',
      TRIBUTARY_HOME: resolve(root, process.env.TRIBUTARY_HOME ?? '.tributary'),
    },
  })
}

if (!isDevelopment) {
  const code = await new Promise((done) => run(['--import', 'tsx', join(root, 'scripts', 'build.ts')]).on('exit', done))
  if (code !== 0) process.exit(1)
}

const stack = isDevelopment
  ? run(['--import', 'tsx', join(engine, 'src', 'main', 'local-stack.ts')])
  : run(['--enable-source-maps', join(engine, 'dist', 'main', 'local-stack.mjs')])
// Ctrl-C reaches the stack directly, as a member of the same process group; it stops its processes and exits.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => stack.kill('SIGTERM'))
stack.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
