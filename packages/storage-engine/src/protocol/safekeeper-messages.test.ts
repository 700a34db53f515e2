import { expect, test } from 'vitest'
import { CorruptionError } from '../base/errors.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { FrameDecoder } from './framing.ts'
import {
  type AcceptorMessage,
  type Append,
  decodeAcceptorMessage,
  decodeProposerMessage,
  encodeAppend,
  encodeSafekeeperMessage,
  type ProposerMessage,
} from './safekeeper-messages.ts'
import {
  decodeWalReaderMessage,
  decodeWalServiceMessage,
  encodeWalData,
  encodeWalServiceMessage,
  type WalReaderMessage,
  type WalServiceMessage,
} from './wal-service-messages.ts'

const lsn = (value: number) => value as Lsn
const projectId = '0123456789abcdef0123456789abcdef' as ProjectId
const timelineId = 'fedcba9876543210fedcba9876543210' as TimelineId
const large = lsn(2 ** 52 + 12345)

const proposerMessages: Exclude<ProposerMessage, Append>[] = [
  {
    kind: 'greeting',
    protocolVersion: 1,
    projectId,
    timelineId,
    systemIdentifier: 0xffff_ffff_ffff_fff0n,
    pgMajorVersion: 18,
    segmentSize: 2 ** 24,
  },
  { kind: 'vote-request', term: 77 },
  {
    kind: 'elected',
    term: 5,
    streamStartLsn: large,
    history: [
      { term: 0, lsn: lsn(0) },
      { term: 5, lsn: large },
    ],
  },
]
const acceptorMessages: Exclude<AcceptorMessage, never>[] = [
  { kind: 'greeting-response', nodeId: 3, term: 9 },
  {
    kind: 'vote-response',
    term: 9,
    granted: true,
    flushLsn: large,
    commitLsn: lsn(8),
    peerHorizonLsn: lsn(1),
    history: [{ term: 1, lsn: lsn(8) }],
  },
  {
    kind: 'append-response',
    term: 1,
    flushLsn: large,
    commitLsn: lsn(8),
    pageserverReceivedLsn: lsn(4),
    remoteConsistentLsn: lsn(2),
  },
  { kind: 'refusal', code: 'fenced', term: 4, message: 'höher' },
]
const readerMessages: WalReaderMessage[] = [
  { kind: 'subscribe' },
  { kind: 'start-wal', projectId, timelineId, startLsn: large, upTo: 'flush', term: 3 },
  { kind: 'feedback', lastRecordLsn: lsn(3), diskConsistentLsn: lsn(2), remoteConsistentLsn: lsn(1) },
]
const serviceMessages: Exclude<WalServiceMessage, { kind: 'wal-data' }>[] = [
  {
    kind: 'timeline-status',
    nodeId: 2,
    projectId,
    timelineId,
    systemIdentifier: 1n,
    startLsn: lsn(1),
    term: 2,
    lastLogTerm: 3,
    flushLsn: lsn(4),
    commitLsn: lsn(5),
    backupLsn: lsn(6),
    remoteConsistentLsn: lsn(7),
  },
  { kind: 'subscribed', unusableCount: 0, nodeId: 2 },
  { kind: 'subscribed', unusableCount: 3, nodeId: 2 },
  { kind: 'keepalive', commitLsn: large },
  { kind: 'error', code: 'not-found', message: 'gone' },
]

function open(...chunks: Uint8Array[]): { type: number; payload: Uint8Array } {
  let frame: { type: number; payload: Uint8Array } | undefined
  const decoder = new FrameDecoder({
    payloadBytesMax: 1 << 20,
    onFrame: (type, payload) => (frame = { type, payload: payload.slice() }),
  })
  for (const chunk of chunks) decoder.push(chunk)
  return frame!
}

test('every message comes back as it was sent', () => {
  for (const message of proposerMessages) {
    const { type, payload } = open(encodeSafekeeperMessage(message))
    expect(decodeProposerMessage(type, payload)).toEqual(message)
  }
  for (const message of acceptorMessages) {
    const { type, payload } = open(encodeSafekeeperMessage(message))
    expect(decodeAcceptorMessage(type, payload)).toEqual(message)
  }
  for (const message of readerMessages) {
    const { type, payload } = open(encodeWalServiceMessage(message))
    expect(decodeWalReaderMessage(type, payload)).toEqual(message)
  }
  for (const message of serviceMessages) {
    const { type, payload } = open(encodeWalServiceMessage(message))
    expect(decodeWalServiceMessage(type, payload)).toEqual(message)
  }
})

test('append and wal-data carry their bytes behind the head without a copy', () => {
  const bytes = Uint8Array.of(1, 2, 3)
  const append: Append = { kind: 'append', term: 3, beginLsn: large, commitLsn: lsn(5), peerHorizonLsn: lsn(4), bytes }
  const sent = open(encodeAppend(append), bytes)
  expect(decodeProposerMessage(sent.type, sent.payload)).toEqual(append)
  const data = { kind: 'wal-data', startLsn: large, commitLsn: lsn(9), bytes } as const
  const received = open(encodeWalData(data), bytes)
  expect(decodeWalServiceMessage(received.type, received.payload)).toEqual(data)
})

test('a payload cut short or made longer is a CorruptionError for every message', () => {
  const cases: [Uint8Array, (type: number, payload: Uint8Array) => unknown][] = [
    ...proposerMessages.map(
      (m) => [encodeSafekeeperMessage(m), decodeProposerMessage] as [Uint8Array, typeof decodeProposerMessage],
    ),
    ...acceptorMessages.map(
      (m) => [encodeSafekeeperMessage(m), decodeAcceptorMessage] as [Uint8Array, typeof decodeAcceptorMessage],
    ),
    ...readerMessages.map(
      (m) => [encodeWalServiceMessage(m), decodeWalReaderMessage] as [Uint8Array, typeof decodeWalReaderMessage],
    ),
    ...serviceMessages.map(
      (m) => [encodeWalServiceMessage(m), decodeWalServiceMessage] as [Uint8Array, typeof decodeWalServiceMessage],
    ),
  ]
  for (const [frame, decode] of cases) {
    const { type, payload } = open(frame)
    for (let length = 0; length < payload.length; length++) {
      expect(() => decode(type, payload.subarray(0, length))).toThrow(CorruptionError)
    }
    expect(() => decode(type, Uint8Array.from([...payload, 0]))).toThrow(CorruptionError)
  }
})

test('a term history that does not ascend is refused', () => {
  const frame = encodeSafekeeperMessage({
    kind: 'elected',
    term: 3,
    streamStartLsn: lsn(0),
    history: [
      { term: 2, lsn: lsn(0) },
      { term: 2, lsn: lsn(8) },
    ],
  })
  const { type, payload } = open(frame)
  expect(() => decodeProposerMessage(type, payload)).toThrow('does not ascend')
})
