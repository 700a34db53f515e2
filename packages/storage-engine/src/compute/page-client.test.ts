import { expect, test } from 'vitest'
import type { Clock } from '../io/clock.ts'
import { silentLog } from '../io/log.ts'
import { noMetrics } from '../io/metrics.ts'
import type { Connection } from '../io/network.ts'
import { nodeClock } from '../io/node-clock.ts'
import { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { Fork } from '../postgres/relation.ts'
import { type GetPagesRequest, pagesAnswerBytes, startPagesAnswer } from '../protocol/block-run-messages.ts'
import { encodeFrame, FrameDecoder } from '../protocol/framing.ts'
import {
  decodePageServiceRequest,
  encodePageServiceError,
  encodeWelcome,
  PAGE_SERVICE_VERSION,
} from '../protocol/page-service-messages.ts'
import { PageClient } from './page-client.ts'

const relation = { spcOid: 1663, dbOid: 5, relNumber: 16384, fork: Fork.main }

type Answer = (request: GetPagesRequest, payload: Uint8Array) => Uint8Array | undefined

/** A page client of a PageServer that answers as it is told, and a clock that the test moves. */
function client(answer: (connectionNumber: number) => Answer) {
  let nowMs = 0
  let timers: { atMs: number; fire: () => void }[] = []
  const clock: Clock = {
    ...nodeClock,
    monotonicMs: () => nowMs,
    sleep: () => Promise.resolve(),
    setTimer(delayMs, fire) {
      const timer = { atMs: nowMs + delayMs, fire }
      timers.push(timer)
      return {
        cancel() {
          timers = timers.filter((other) => other !== timer)
        },
      }
    },
  }
  const pass = async (durationMs: number) => {
    for (const endMs = nowMs + durationMs; nowMs < endMs; ) {
      nowMs += 10
      for (const timer of timers.filter(({ atMs }) => atMs <= nowMs)) {
        timers = timers.filter((other) => other !== timer)
        timer.fire()
      }
      await Promise.resolve()
    }
    await nodeClock.sleep(0)
  }
  let connections = 0
  const connect = (): Promise<Connection> => {
    const answerNow = answer(++connections)
    const reply = (payload: Uint8Array) => connection.onData(encodeFrame(payload[0]!, payload))
    const decoder = new FrameDecoder({
      payloadBytesMax: 1 << 20,
      onFrame(_type, payload) {
        const request = decodePageServiceRequest(payload)
        const version = PAGE_SERVICE_VERSION
        if (request.kind === 'hello') reply(encodeWelcome({ version, systemIdentifier: 7n, lastRecordLsn: Lsn.of(8) }))
        if (request.kind !== 'get-pages') return
        const bytes = answerNow(request, payload.slice())
        if (bytes) reply(bytes)
      },
    })
    const connection: Connection = {
      remote: 'test',
      onData: () => undefined,
      onClose: () => undefined,
      send(...chunks) {
        const bytes = chunks.map((chunk) => chunk.slice())
        queueMicrotask(() => {
          for (const chunk of bytes) decoder.push(chunk)
        })
        return true
      },
      borrowedBytes: 0,
      drained: () => Promise.resolve(),
      pause: () => undefined,
      resume: () => undefined,
      end: () => connection.onClose(),
      destroy: () => connection.onClose(),
    }
    return Promise.resolve(connection)
  }
  const network = { connect, listen: () => Promise.reject(new Error('not of use here')) }
  const pages = new PageClient({
    env: { clock, network, log: silentLog, metrics: noMetrics },
    address: { host: 'test', port: 1 },
    projectId: ProjectId.parse('1'.repeat(32)),
    timelineId: TimelineId.parse('2'.repeat(32)),
    lsn: Lsn.of(8),
    giveUpMs: 300_000,
  })
  return { pages, pass, connections: () => connections }
}

const zeroPages: Answer = (request) => {
  const bytes = new Uint8Array(pagesAnswerBytes(request.blockCount, request.blockCount))
  startPagesAnswer(bytes, request).statuses.fill(1)
  return bytes.subarray(0, pagesAnswerBytes(request.blockCount, 0))
}

test('a PageServer that takes a request and never answers is connected to anew, and asked again', async () => {
  const { pages, pass, connections } = client((number) => (number === 1 ? () => undefined : zeroPages))
  const read = pages.readPages(relation, 3, 1)
  await pass(60_000)
  expect(await read).toEqual([undefined])
  expect(connections()).toBe(2)
  pages.close()
})

test('a read that waits to be asked again is told when the client is closed', async () => {
  const { pages, pass } = client(() => (_request, payload) => encodePageServiceError('unavailable', 'busy', payload))
  const read = pages.readPages(relation, 3, 1)
  await pass(30)
  pages.close()
  const refused = expect(read).rejects.toThrow('closed')
  await pass(100)
  await refused
})
