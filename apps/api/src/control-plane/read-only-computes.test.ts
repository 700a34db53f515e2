import { randomBytes } from 'node:crypto'
import type { ComputeDriver, ComputeInfo, ComputeSpec } from '@tributary/storage-engine/admin'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { Project } from '../generated/prisma/client.ts'
import { SecretBox } from '../shared/secret-box.ts'
import { ReadOnlyComputes } from './read-only-computes.ts'

const TIMELINE = 'a'.repeat(32)
const secrets = new SecretBox(randomBytes(32))
const project = {
  id: 'quiet-lake-12345678',
  storageId: 'b'.repeat(32),
  superuserPasswordSealed: secrets.seal('password', 'project:quiet-lake-12345678:superuser'),
} as Project

/** Computes that run from the moment they are asked for, each on a port of its own. */
function open() {
  const running = new Map<string, ComputeInfo>()
  const started: string[] = []
  const clock = { ms: 0 }
  const driver = {
    async startCompute({ computeId }: ComputeSpec) {
      started.push(computeId)
      const info = { computeId, state: 'running', host: '127.0.0.1', postgresPort: started.length } as ComputeInfo
      running.set(computeId, info)
      return info
    },
    async stopCompute(computeId: string) {
      running.delete(computeId)
    },
    async getCompute(computeId: string) {
      return running.get(computeId) ?? ({ computeId, state: 'failed' } as ComputeInfo)
    },
  } as unknown as ComputeDriver
  const log = pino({ enabled: false })
  const computes = new ReadOnlyComputes({ computes: driver, secrets, log }, () => clock.ms)
  const portAt = async (lsn: string) => {
    const used = await computes.use(project, TIMELINE, lsn, async ({ port }) => port)
    return used.ok ? used.value : used.error.code
  }
  return { computes, running, started, clock, portAt }
}

test('all who look at the same moment at the same time share one compute', async () => {
  const { portAt, running } = open()
  expect(await Promise.all(['0/10', '0/10', '0/10', '0/20'].map(portAt))).toEqual([1, 1, 1, 2])
  expect(running.size).toBe(2)
})

test('no more computes run than there are places, however many moments are asked for at once', async () => {
  const { portAt, started, running } = open()
  const answers = await Promise.all(['1', '2', '3', '4', '5', '6'].map((digit) => portAt(`0/${digit}0`)))
  expect(answers.filter((answer) => answer === 'RATE_LIMITED')).toHaveLength(2)
  expect([started.length, running.size]).toEqual([4, 4])
})

test('a compute that ended by itself is not handed out again', async () => {
  const { portAt, running, started } = open()
  expect(await portAt('0/10')).toBe(1)
  running.delete(started[0]!)
  expect(await portAt('0/10')).toBe(2)
})

test('the compute of a session goes on when others look at other moments; one that nobody uses makes room', async () => {
  const { portAt, computes, running, started, clock } = open()
  for (const lsn of ['0/10', '0/20', '0/30', '0/40']) {
    await portAt(lsn)
    computes.hold(TIMELINE, lsn)
  }
  clock.ms = 10_000
  expect(await portAt('0/50')).toBe('RATE_LIMITED')
  for (const lsn of ['0/10', '0/30', '0/40']) computes.hold(TIMELINE, lsn)
  clock.ms = 20_000
  expect(await portAt('0/50')).toBe(5)
  expect(started.filter((id) => !running.has(id))).toEqual([started[1]])
  expect(computes.addressOf(TIMELINE, '0/20')).toBeNull()
  expect(computes.addressOf(TIMELINE, '0/10')).toEqual({ host: '127.0.0.1', port: 1 })
})
