import * as fs from 'node:fs'
import * as path from 'node:path'
import { runCommand } from './command.ts'
import { apiFolder, hashOfFiles, listFiles, rootFolder, webFolder } from './repository.ts'

/** Builds the console, a standalone server of Next.js and the program in front of it, when its sources have changed. */
export async function buildWeb(): Promise<void> {
  const builder = path.join(webFolder, 'server', 'build.ts')
  if (!fs.existsSync(builder)) return
  const stamp = path.join(webFolder, 'dist', '.build-hash')
  const sources = [
    ...listFiles(webFolder).filter((file) => path.basename(file) !== 'next-env.d.ts'),
    ...listFiles(path.join(rootFolder, 'packages', 'ui')),
    path.join(apiFolder, 'schema.graphql'),
    path.join(rootFolder, 'package-lock.json'),
    path.join(rootFolder, 'tsconfig.base.json'),
  ]
  const wanted = hashOfFiles(sources, process.version)
  const isBuilt = fs.existsSync(path.join(webFolder, '.next', 'standalone', 'apps', 'web', 'server.js'))
  if (isBuilt && fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === wanted) return
  console.log('building the console (next build) ...')
  fs.rmSync(stamp, { force: true })
  const { code, seconds } = await runCommand(process.execPath, ['--import', 'tsx', builder], {
    cwd: webFolder,
    quiet: true,
  })
  if (code !== 0) throw new Error('the build of the console failed; the lines above say why')
  fs.writeFileSync(stamp, wanted)
  console.log(`built the console in ${seconds.toFixed(1)} s`)
}
