import * as fs from 'node:fs'
import * as path from 'node:path'
import { gzipSync } from 'node:zlib'

interface RouteStats {
  readonly route: string
  readonly firstLoadChunkPaths: readonly string[]
}

/** JavaScript that the built console loads before a route can be used, gzip, in kB (1000 bytes), by route. */
export function firstLoadKilobytes(webFolder: string): Map<string, number> {
  const file = path.join(webFolder, '.next', 'diagnostics', 'route-bundle-stats.json')
  if (!fs.existsSync(file))
    throw new Error(`${file} is missing: the console is not built, or Next.js names its parts otherwise`)
  const routes = JSON.parse(fs.readFileSync(file, 'utf8')) as readonly RouteStats[]
  const sizes = new Map<string, number>()
  const sizeOf = (chunk: string) => {
    const known = sizes.get(chunk)
    if (known !== undefined) return known
    const size = gzipSync(fs.readFileSync(path.join(webFolder, chunk))).length
    sizes.set(chunk, size)
    return size
  }
  return new Map(
    routes.map(({ route, firstLoadChunkPaths }) => [
      route,
      firstLoadChunkPaths.reduce((sum, chunk) => sum + sizeOf(chunk), 0) / 1000,
    ]),
  )
}
