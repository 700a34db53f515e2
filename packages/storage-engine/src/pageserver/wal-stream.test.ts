import { expect, test } from 'vitest'
import type { Connection } from '../io/network.ts'
import { nodeClock } from '../io/node-clock.ts'
import { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { encodeWalData } from '../protocol/wal-service-messages.ts'
import { WalStream } from './wal-stream.ts'

test('whatever else waits for the thread has its turn between any two chunks, however many are here', async () => {
  const connection: Connection = {
    remote: 'test',
    onData: () => undefined,
    onClose: () => undefined,
    send: () => true,
    borrowedBytes: 0,
    drained: () => Promise.resolve(),
    pause: () => undefined,
    resume: () => undefined,
    end: () => undefined,
    destroy: () => undefined,
  }
  const network = { connect: () => Promise.resolve(connection), listen: () => Promise.reject(new Error('not here')) }
  const stream = await WalStream.open({
    env: { clock: nodeClock, network },
    safekeeper: { id: 1, host: 'test', port: 1 },
    projectId: ProjectId.parse('2'.repeat(32)),
    timelineId: TimelineId.parse('1'.repeat(32)),
    startLsn: Lsn.of(0),
    signal: new AbortController().signal,
  })
  const count = 10
  for (let i = 0; i < count; i++) {
    const bytes = new Uint8Array(16)
    const chunk = { kind: 'wal-data', startLsn: Lsn.of(16 * i), commitLsn: Lsn.of(16 * count), bytes } as const
    connection.onData(encodeWalData(chunk))
    connection.onData(bytes)
  }
  let turns = 0
  let isDone = false
  const takeTurn = () => {
    turns++
    if (!isDone) setImmediate(takeTurn)
  }
  setImmediate(takeTurn)
  const turnsAtChunk: number[] = []
  for await (const _ of stream) {
    turnsAtChunk.push(turns)
    if (turnsAtChunk.length === count) break
  }
  isDone = true
  stream.close()
  for (let i = 1; i < count; i++) expect(turnsAtChunk[i]).toBeGreaterThan(turnsAtChunk[i - 1]!)
})
