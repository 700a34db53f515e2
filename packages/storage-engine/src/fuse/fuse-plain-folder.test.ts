import { mkdtempSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLog } from '../io/log.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import type { RelationFork } from '../postgres/relation.ts'
import { formatRelationPath } from '../postgres/relation-path.ts'
import { type FuseMount, fuseObstacle, openFuseMount } from './fuse-driver.ts'
import { Opcode } from './fuse-protocol.ts'
import type { PageReader } from './page-reader.ts'

/** The same random operations on the mount and on a plain folder: same results, same bytes. */
const obstacle = fuseObstacle()
if (obstacle) process.stderr.write(`fuse-plain-folder: skipped, ${obstacle}\n`)

const REMOTE_BLOCKS = [40, 3, 0, 300]

function remotePage(relNumber: number, block: number): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE)
  for (let i = 0; i < PAGE_SIZE; i++) page[i] = (relNumber * 31 + block * 7 + i * 13 + (i >> 8)) & 255
  return page
}

function relation(relNumber: number): RelationFork {
  return { spcOid: 1663, dbOid: 5, relNumber, fork: 0 }
}

describe.skipIf(obstacle !== undefined)('the mount behaves as a plain folder', () => {
  let root: string
  let plain: string
  let mount: FuseMount
  let reads = 0
  const pageReader: PageReader = {
    async usePages(of, firstBlock, blockCount, use) {
      reads++
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 3))
      const pages = Array.from({ length: blockCount }, (_, i) => remotePage(of.relNumber, firstBlock + i).slice())
      use(pages)
      for (const page of pages) page?.fill(0xee)
    },
  }

  beforeAll(async () => {
    root = mkdtempSync(path.join(os.tmpdir(), 'compute-fuse-'))
    plain = path.join(root, 'plain')
    await fs.mkdir(path.join(plain, 'base/5'), { recursive: true })
    mount = await openFuseMount({
      mountPath: path.join(root, 'mount'),
      cacheFolder: path.join(root, 'cache'),
      pageReader,
      log: silentLog,
    })
    mount.plant({
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      directories: ['base', 'base/5'],
      files: [{ path: 'base/5/PG_VERSION', mode: 0o600, bytes: new TextEncoder().encode('18\n') }],
      relations: REMOTE_BLOCKS.map((blockCount, i) => ({ ...relation(100 + i), blockCount })),
    })
    await fs.writeFile(path.join(plain, 'base/5/PG_VERSION'), '18\n')
    for (const [i, blockCount] of REMOTE_BLOCKS.entries()) {
      const pages = Array.from({ length: blockCount }, (_, block) => remotePage(100 + i, block))
      await fs.writeFile(path.join(plain, formatRelationPath(relation(100 + i), 0)), Buffer.concat(pages))
    }
  })

  afterAll(async () => {
    await mount?.close()
    await fs.rm(root, { recursive: true, force: true })
  })

  test('remote pages are read right, once, and then from the kernel cache', async () => {
    const name = formatRelationPath(relation(103), 0)
    const expected = await fs.readFile(path.join(plain, name))
    expect((await fs.readFile(path.join(mount.mountPath, name))).equals(expected)).toBe(true)
    const { requests, misses } = mount.stats()
    expect(misses.fetchedPages).toBeLessThanOrEqual(300)
    const readsBefore = reads
    expect((await fs.readFile(path.join(mount.mountPath, name))).equals(expected)).toBe(true)
    expect(mount.stats().requests[Opcode.read]).toBe(requests[Opcode.read])
    expect(reads).toBe(readsBefore)
  })

  test('random operations give the same results on both', async () => {
    const names = [
      'base/5/100',
      'base/5/101',
      'base/5/102',
      'base/5/t3_9',
      'base/5/sub',
      'base/5/PG_VERSION',
      'base/5/x',
    ]
    const name = fc.constantFrom(...names)
    const position = fc.oneof(
      fc.nat(45).map((page) => page * PAGE_SIZE),
      fc.nat(45 * PAGE_SIZE),
    )
    const length = fc.oneof(
      fc.constantFrom(PAGE_SIZE, 2 * PAGE_SIZE, 5 * PAGE_SIZE),
      fc.integer({ min: 1, max: 20_000 }),
    )
    const operation = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const), name, position, length }) },
      {
        weight: 4,
        arbitrary: fc.record({ kind: fc.constant('write' as const), name, position, length, fill: fc.nat(255) }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), name, position }) },
      fc.record({ kind: fc.constant('unlink' as const), name }),
      fc.record({ kind: fc.constant('rename' as const), name, to: name }),
      fc.record({ kind: fc.constant('mkdir' as const), name }),
      fc.record({ kind: fc.constant('rmdir' as const), name }),
      fc.record({ kind: fc.constant('list' as const) }),
      fc.record({ kind: fc.constant('stat' as const), name }),
      fc.record({ kind: fc.constant('hold' as const), name, position, length }),
    )
    type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

    const held: { [folder: string]: { handle: fs.FileHandle; position: number; length: number }[] } = {}
    async function apply(folder: string, op: Operation): Promise<unknown> {
      const at = (relative: string) => path.join(folder, relative)
      try {
        switch (op.kind) {
          case 'read': {
            const handle = await fs.open(at(op.name), 'r')
            try {
              const buffer = Buffer.alloc(op.length)
              const { bytesRead } = await handle.read(buffer, 0, op.length, op.position)
              return buffer.subarray(0, bytesRead).toString('base64')
            } finally {
              await handle.close()
            }
          }
          case 'write': {
            const handle = await fs.open(at(op.name), fs.constants.O_RDWR | fs.constants.O_CREAT)
            try {
              return (await handle.write(Buffer.alloc(op.length, op.fill), 0, op.length, op.position)).bytesWritten
            } finally {
              await handle.close()
            }
          }
          case 'truncate':
            return await fs.truncate(at(op.name), op.position)
          case 'unlink':
            return await fs.unlink(at(op.name))
          case 'rename':
            return await fs.rename(at(op.name), at(op.to))
          case 'mkdir':
            return await fs.mkdir(at(op.name))
          case 'rmdir':
            return await fs.rmdir(at(op.name))
          case 'list':
            return (await fs.readdir(at('base/5'))).sort()
          case 'stat': {
            const stat = await fs.stat(at(op.name))
            return [stat.isDirectory(), stat.isDirectory() ? 0 : stat.size]
          }
          case 'hold': {
            // Stays open over later unlinks and renames.
            const handle = await fs.open(at(op.name), 'r')
            if ((await handle.stat()).isDirectory()) {
              await handle.close()
              return 'directory'
            }
            held[folder] ??= []
            held[folder].push({ handle, position: op.position, length: op.length })
            return 'held'
          }
          default:
            return op satisfies never
        }
      } catch (error) {
        return error instanceof Error && 'code' in error ? error.code : String(error)
      }
    }

    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
        for (const op of operations) {
          const expected = await apply(plain, op)
          expect([op, await apply(mount.mountPath, op)]).toEqual([op, expected])
        }
        const ofPlain = held[plain] ?? []
        const ofMount = held[mount.mountPath] ?? []
        for (const [i, mine] of ofMount.entries()) {
          const contents: string[] = []
          for (const one of [ofPlain[i]!, mine]) {
            const buffer = Buffer.alloc(one.length)
            const { bytesRead } = await one.handle.read(buffer, 0, one.length, one.position)
            contents.push(buffer.subarray(0, bytesRead).toString('base64'))
            await one.handle.close()
          }
          expect(contents[1]).toBe(contents[0])
        }
        held[plain] = []
        held[mount.mountPath] = []
      }),
      { numRuns: 60, seed: 20_260, endOnFailure: true },
    )
  }, 120_000)

  test('writes that race with fetches of the same pages win', async () => {
    const name = formatRelationPath(relation(104), 0)
    expect(name).toBe('base/5/104')
    const blocks = 256
    const fresh = await openFuseMount({
      mountPath: path.join(root, 'mount-race'),
      cacheFolder: path.join(root, 'cache-race'),
      pageReader,
      log: silentLog,
    })
    try {
      fresh.plant({
        uid: process.getuid?.() ?? 0,
        gid: process.getgid?.() ?? 0,
        directories: ['base', 'base/5'],
        files: [],
        relations: [{ ...relation(104), blockCount: blocks }],
      })
      const file = path.join(fresh.mountPath, name)
      const handle = await fs.open(file, 'r+')
      const written = new Set<number>()
      const jobs: Promise<unknown>[] = []
      for (let i = 0; i < 400; i++) {
        const block = Math.floor(Math.random() * blocks)
        if (i % 2 === 0) {
          written.add(block)
          jobs.push(handle.write(Buffer.alloc(PAGE_SIZE, block & 255), 0, PAGE_SIZE, block * PAGE_SIZE))
        } else {
          jobs.push(handle.read(Buffer.alloc(8 * PAGE_SIZE), 0, 8 * PAGE_SIZE, block * PAGE_SIZE))
        }
      }
      await Promise.all(jobs)
      const all = await handle.readFile()
      await handle.close()
      for (let block = 0; block < blocks; block++) {
        const page = all.subarray(block * PAGE_SIZE, (block + 1) * PAGE_SIZE)
        const expected = written.has(block) ? Buffer.alloc(PAGE_SIZE, block & 255) : Buffer.from(remotePage(104, block))
        expect(page.equals(expected), `block ${block}`).toBe(true)
      }
    } finally {
      await fresh.close()
    }
  })
})
