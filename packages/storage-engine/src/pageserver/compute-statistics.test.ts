import { expect, test } from 'vitest'
import { CorruptionError } from '../base/errors.ts'
import { silentLog } from '../io/log.ts'
import { nodeDisk } from '../io/node-disk.ts'
import { openMemoryObjectStore } from '../object-store/memory-object-store.ts'
import { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { decodeStatistics, encodeStatistics, findStatistics, saveStatistics } from './compute-statistics.ts'
import type { AttachedTimeline, OpenProject } from './open-project.ts'

const projectId = ProjectId.parse('1'.repeat(32))
const text = (value: string) => new TextEncoder().encode(value)

/** Of a timeline only its name and its ancestor are looked at. */
function timelineOf(digit: string, ancestor?: { timelineId: TimelineId; lsn: Lsn }): AttachedTimeline {
  const timelineId = TimelineId.parse(digit.repeat(32))
  return { timeline: { identity: { projectId, timelineId, ancestor } } } as unknown as AttachedTimeline
}

test('statistics come back as they were saved, and a flipped bit anywhere is corruption', () => {
  const bytes = encodeStatistics(Lsn.of(700), text('statistics of many tables '.repeat(20)))
  expect(decodeStatistics(bytes, 'k')).toEqual({ lsn: 700, file: text('statistics of many tables '.repeat(20)) })
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice()
    damaged[at]! ^= 1
    expect(() => decodeStatistics(damaged, 'k'), `byte ${at}`).toThrow(CorruptionError)
    expect(() => decodeStatistics(bytes.subarray(0, at), 'k')).toThrow(CorruptionError)
  }
})

test('a compute gets the newest statistics that are not of after its start, from its branch or an ancestor of it', async () => {
  const store = openMemoryObjectStore({ disk: nodeDisk })
  const main = timelineOf('a')
  const branch = timelineOf('b', { timelineId: main.timeline.identity.timelineId, lsn: Lsn.of(500) })
  const project = {
    find: (id: TimelineId) => [main, branch].find(({ timeline }) => timeline.identity.timelineId === id),
  } as OpenProject
  const find = async (attached: AttachedTimeline, lsn: number) => {
    const file = await findStatistics(store, project, attached, Lsn.of(lsn), silentLog)
    return file && new TextDecoder().decode(file)
  }
  expect(await find(branch, 900)).toBeUndefined()
  await saveStatistics(store, main, Lsn.of(400), text('main at 400'))
  expect([await find(main, 399), await find(main, 400), await find(branch, 900)]).toEqual([
    undefined,
    'main at 400',
    'main at 400',
  ])
  await saveStatistics(store, branch, Lsn.of(800), text('branch at 800'))
  expect([await find(branch, 900), await find(branch, 700)]).toEqual(['branch at 800', 'main at 400'])
  // A compute that was slow to stop does not overwrite what its successor saved.
  await saveStatistics(store, branch, Lsn.of(600), text('branch at 600'))
  expect(await find(branch, 900)).toBe('branch at 800')
  await saveStatistics(store, main, Lsn.of(600), text('main at 600'))
  expect(await find(branch, 700)).toBeUndefined()
})
