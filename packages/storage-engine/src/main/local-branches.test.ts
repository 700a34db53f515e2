import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StorageAdmin, TimelineInfo } from '../admin/storage-admin.ts'
import { StorageError } from '../base/errors.ts'
import { silentLog } from '../io/log.ts'
import { nodeClock } from '../io/node-clock.ts'
import { nodeDisk } from '../io/node-disk.ts'
import { nodeRandom } from '../io/node-random.ts'
import type { TimelineId } from '../postgres/ids.ts'
import { LocalBranches } from './local-branches.ts'
import { openLocalCatalog } from './local-catalog.ts'
import type { LocalStackConfig } from './local-stack-config.ts'
import type { NodeAgent } from './node-agent.ts'

/** Names of branches in a real file, over a PageServer that does as the test says. No compute runs. */
let home: string

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-branches-'))
})

afterEach(() => fs.rmSync(home, { recursive: true, force: true }))

class FakePageServer {
  readonly timelines = new Set<TimelineId>()
  /** Runs before a branch is made. */
  beforeBranch: () => Promise<void> = () => Promise.resolve()

  get admin(): StorageAdmin {
    const calls: Partial<StorageAdmin> = {
      createProject: async ({ timelineId }) => this.#add(timelineId),
      createBranch: async ({ timelineId }) => {
        await this.beforeBranch()
        return this.#add(timelineId)
      },
      listTimelines: async () => [...this.timelines].map((timelineId) => ({ timelineId }) as TimelineInfo),
    }
    return calls as StorageAdmin
  }

  #add(timelineId: TimelineId): TimelineInfo {
    this.timelines.add(timelineId)
    return { timelineId } as TimelineInfo
  }
}

/** As after a start of the supervisor in this home. */
async function open(pageserver: FakePageServer): Promise<LocalBranches> {
  const catalog = await openLocalCatalog({ path: path.join(home, 'catalog.json'), disk: nodeDisk, random: nodeRandom })
  const branches = new LocalBranches({
    config: { home, host: '127.0.0.1' } as LocalStackConfig,
    catalog,
    agent: {} as NodeAgent,
    admin: pageserver.admin,
    ports: { take: () => Promise.reject(new Error('no port is needed')) } as never,
    log: silentLog,
  })
  await branches.createProject()
  return branches
}

function namesOf(branches: LocalBranches): string[] {
  return (branches.describe() as { name: string }[]).map(({ name }) => name)
}

test('a branch whose creation was answered is there after the death of the supervisor', async () => {
  const pageserver = new FakePageServer()
  const before = await open(pageserver)
  await before.create({ name: 'dev', parent: 'main' })
  expect(namesOf(await open(pageserver))).toEqual(['main', 'dev'])
})

test('the name of a branch that was never made is gone after a restart, and free again', async () => {
  const pageserver = new FakePageServer()
  const before = await open(pageserver)
  let hasBegun: () => void = () => undefined
  const begun = new Promise<void>((resolve) => {
    hasBegun = resolve
  })
  pageserver.beforeBranch = () => {
    hasBegun()
    return new Promise(() => undefined)
  }
  void before.create({ name: 'lost', parent: 'main' })
  await begun
  while (!fs.readFileSync(path.join(home, 'catalog.json'), 'utf8').includes('"lost"')) await nodeClock.sleep(1)
  await expect(before.create({ name: 'lost', parent: 'main' })).rejects.toMatchObject({ code: 'conflict' })
  // Until it is made nobody can use it.
  expect(namesOf(before)).toEqual(['main'])
  await expect(before.start('lost')).rejects.toMatchObject({ code: 'not-found' })
  pageserver.beforeBranch = () => Promise.resolve()
  const after = await open(pageserver)
  expect(namesOf(after)).toEqual(['main'])
  await after.create({ name: 'lost', parent: 'main' })
  expect(namesOf(after)).toEqual(['main', 'lost'])
})

test('a refused branch leaves no name behind', async () => {
  const pageserver = new FakePageServer()
  const branches = await open(pageserver)
  pageserver.beforeBranch = () => Promise.reject(new StorageError('invalid-input', 'at is outside the history kept'))
  await expect(branches.create({ name: 'dev', parent: 'main' })).rejects.toMatchObject({ code: 'invalid-input' })
  expect(fs.readFileSync(path.join(home, 'catalog.json'), 'utf8')).not.toContain('"dev"')
})

test('of many branches made at once the file names every one', async () => {
  const pageserver = new FakePageServer()
  const branches = await open(pageserver)
  const names = Array.from({ length: 20 }, (_, i) => `b${i}`)
  await Promise.all(names.map((name) => branches.create({ name, parent: 'main' })))
  expect(namesOf(await open(pageserver))).toEqual(['main', ...names])
})
