import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mountObstacle } from '../mount-obstacle.ts'
import { type Stack, startStack } from '../stack-fixture.ts'
import { Ledger } from './ledger.ts'
import { expectPromisesKept } from './promises.ts'

/** A SafeKeeper, the PageServer and the compute on disks of their own that fill up under load, and are then made larger. */
const obstacle = mountObstacle()
/** Room for a new project, and for little more. */
const SMALL = { safekeeper: '72m', pageserver: '110m' }
let stack: Stack
let home = ''

function mount(name: string, size: string): void {
  const folder = path.join(home, name)
  fs.mkdirSync(folder, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder])
}

function resize(name: string, size: string): void {
  execFileSync('mount', ['-o', `remount,size=${size}`, path.join(home, name)])
}

function usedBytes(name: string): number {
  const { blocks, bfree, bsize } = fs.statfsSync(path.join(home, name))
  return (blocks - bfree) * bsize
}

beforeAll(async () => {
  if (obstacle !== undefined) return
  home = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'tributary-full-'))
  mount('safekeeper-2', SMALL.safekeeper)
  mount('pageserver', SMALL.pageserver)
  mount('computes', '2g')
  stack = await startStack({ home })
}, 180_000)

afterAll(async () => {
  if (obstacle !== undefined) return
  await stack?.cleanup()
  for (const name of ['safekeeper-2', 'pageserver', 'computes']) execFileSync('umount', [path.join(home, name)])
  fs.rmSync(home, { recursive: true, force: true, maxRetries: 3 })
})

test.skipIf(obstacle !== undefined)(
  'a SafeKeeper and the PageServer whose disks fill up lose nothing, and go on when there is room',
  async () => {
    const ledger = new Ledger({ clientCount: 2, connection: () => ({ connectionString: stack.uri }) })
    await ledger.createTables()
    ledger.start()
    try {
      await ledger.progress(20)
      await stack.query('create table filler (id int, text text)')
      // Incompressible: about 200 MB of WAL, more than either disk holds.
      for (let i = 0; i < 20; i++) {
        await stack.query(
          `insert into filler select g, (select string_agg(md5((g * 31 + i)::text), '') from generate_series(1, 30) i)
             from generate_series(1, 10000) g`,
        )
      }
      const { safekeepers } = await stack.describe()
      expect(safekeepers).toHaveLength(3)
      expect(fs.statfsSync(path.join(home, 'safekeeper-2')).bavail * 4096).toBeLessThan(20 << 20)
      // The others are a majority, and what was committed before can be read.
      await ledger.progress(50)
      for (const name of ['safekeeper-2', 'pageserver']) resize(name, '2g')
      // Now it carries the quorum with one other, so it must have caught up.
      await stack.admin('POST', '/processes/safekeeper-1/stop')
      await ledger.progress(50)
      await stack.admin('POST', '/processes/safekeeper-1/start')
    } catch (error) {
      throw new Error(`${String(error)}\n${stack.logTail()}`)
    } finally {
      await ledger.stop()
    }
    // A new compute reads every page from the PageServer, so that must have caught up, too.
    await stack.failover()
    const [count] = await stack.query<{ n: string }>('select count(*) n from filler where length(text) = 960')
    expect(Number(count?.n)).toBe(200_000)
    await expectPromisesKept(stack, ledger)
  },
)

test.skipIf(obstacle !== undefined)(
  'a compute whose disk fills up says so and loses nothing acknowledged, and the branch goes on when there is room',
  async () => {
    await stack.query('drop table if exists account, ledger, filler')
    const ledger = new Ledger({ clientCount: 2, connection: () => ({ connectionString: stack.uri }) })
    await ledger.createTables()
    ledger.start()
    const failures: string[] = []
    try {
      await ledger.progress(20)
      resize('computes', String(usedBytes('computes') + (16 << 20)))
      await stack.query('create table filler (id int, text text)').catch((error) => failures.push(String(error)))
      for (let i = 0; i < 20 && failures.length === 0; i++) {
        await stack
          .query(`insert into filler select g, repeat(md5(g::text), 30) from generate_series(1, 10000) g`)
          .catch((error) => failures.push(String(error)))
      }
      expect(failures).not.toEqual([])
      expect(`${failures.join('\n')}\n${stack.logTail(400)}`).toMatch(/no space left on/i)
      resize('computes', '2g')
      await stack.queryEventually('select 1')
      await ledger.progress(50)
    } catch (error) {
      throw new Error(`${String(error)}\n${failures.join('\n')}\n${stack.logTail()}`)
    } finally {
      await ledger.stop()
    }
    await expectPromisesKept(stack, ledger)
  },
)
