import { expect, test } from 'vitest'
import { nodeDisk } from '../io/node-disk.ts'
import { openMemoryObjectStore } from '../object-store/memory-object-store.ts'
import { WAL_SEGMENT_SIZE } from '../postgres/constants.ts'
import { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { partialSegmentKey, segmentKey } from '../wal/archive-keys.ts'
import type { Timeline } from './timeline/timeline.ts'
import { openWalArchive } from './wal-archive.ts'

const projectId = ProjectId.parse('2'.repeat(32))
const timelineId = TimelineId.parse('1'.repeat(32))
// The archive looks at nothing of a timeline but its name.
const timeline = { identity: { projectId, timelineId } } as Timeline

async function readAll(archive: ReturnType<typeof openWalArchive>, startLsn: Lsn) {
  const pieces: Uint8Array[] = []
  let at: number = startLsn
  for await (const { lsn, bytes } of archive.read(timeline, startLsn, new AbortController().signal)) {
    expect(lsn).toBe(at)
    at += bytes.length
    pieces.push(bytes)
  }
  return { bytes: Buffer.concat(pieces), endLsn: at }
}

test('archived wal is read through the whole segments and to the end of the longest partial copy of the next', async () => {
  const store = openMemoryObjectStore({ disk: nodeDisk })
  const wal = new Uint8Array(WAL_SEGMENT_SIZE + 300_000).map((_, i) => (i * 7) ^ (i >>> 11))
  const first = Lsn.of(3 * WAL_SEGMENT_SIZE)
  const second = Lsn.of(4 * WAL_SEGMENT_SIZE)
  await store.put(segmentKey(projectId, timelineId, first), wal.subarray(0, WAL_SEGMENT_SIZE))
  for (const [length, term] of [
    [100_000, 7],
    [300_000, 5],
    [8, 9],
  ] as const) {
    const piece = { startLsn: second, endLsn: Lsn.of(second + length), term }
    const bytes = wal.subarray(WAL_SEGMENT_SIZE, WAL_SEGMENT_SIZE + length)
    await store.put(partialSegmentKey(projectId, timelineId, piece), bytes)
  }
  const archive = openWalArchive(store)
  const startLsn = Lsn.of(first + 5000)
  const { bytes, endLsn } = await readAll(archive, startLsn)
  expect(endLsn).toBe(second + 300_000)
  expect(Buffer.compare(bytes, wal.subarray(5000))).toBe(0)
  // Nothing behind it.
  expect((await readAll(archive, Lsn.of(second + 300_000))).bytes).toHaveLength(0)
})
