import * as fs from 'node:fs'
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'
import { binary, runCommand } from './command.ts'
import { apiFolder, hashOfFiles, listFiles, rootFolder } from './repository.ts'

/**
 * Code that is made, not written: the catalog's client (prisma generate), which is not committed. Made again only when its
 * schema has changed. Throws when that fails.
 */
export async function generate(): Promise<void> {
  const schema = listFiles(path.join(rootFolder, 'prisma', 'schema'))
  if (schema.length === 0) return
  const output = path.join(apiFolder, 'src', 'generated')
  const stamp = path.join(output, '.schema-hash')
  const wanted = hashOfFiles([
    ...schema,
    path.join(rootFolder, 'prisma.config.ts'),
    path.join(rootFolder, 'node_modules', 'prisma', 'package.json'),
  ])
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === wanted) return
  const { code, seconds } = await runCommand(binary(rootFolder, 'prisma'), ['generate'], {
    cwd: rootFolder,
    env: { CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' },
    quiet: true,
  })
  if (code !== 0) throw new Error('prisma generate failed')
  fs.writeFileSync(stamp, wanted)
  console.log(`generated the catalog client in ${seconds.toFixed(1)} s`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await generate()
