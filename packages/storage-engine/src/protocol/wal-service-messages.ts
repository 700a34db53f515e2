import { CorruptionError, type StorageErrorCode } from '../base/errors.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { writeU64 } from './byte-fields.ts'
import { errorCodeNumber, errorCodeOf } from './error-codes.ts'
import { FRAME_HEADER_SIZE, sealSplitFrame } from './framing.ts'
import { MessageReader } from './message-reader.ts'
import { encodeText, MessageWriter } from './message-writer.ts'

/**
 * Reading WAL from a SafeKeeper, on the same port as the consensus protocol: the first frame of a connection tells which of
 * the two it speaks. Frame types 0x20..0x2f. A connection is either a subscription or one WAL stream.
 *
 *   reader                            safekeeper
 *   subscribe                    ->
 *                                <-   timeline-status    one per timeline at once, then on each change (at most every
 *                                                        STATUS_INTERVAL_MS per timeline)
 *                                <-   subscribed         after the first statuses: the list was complete, but for a number
 *                                                        of timelines that cannot be served now
 *   or
 *   start-wal                    ->
 *                                <-   wal-data …         contiguous from startLsn; cut anywhere, also inside records
 *                                <-   keepalive          when nothing was sent for KEEPALIVE_INTERVAL_MS
 *   feedback                     ->                      at any time; keeps the WAL it still needs from being removed
 *
 * An `error` frame ends the connection. Bytes of wal-data end at or before commitLsn, except for a proposer, which reads up
 * to the flush LSN of its own term.
 */
export const WAL_DATA_BYTES_MAX = 128 * 1024
export const WAL_SERVICE_PAYLOAD_BYTES_MAX = WAL_DATA_BYTES_MAX + 4096
export const KEEPALIVE_INTERVAL_MS = 1000
export const STATUS_INTERVAL_MS = 100

export interface Subscribe {
  readonly kind: 'subscribe'
}

export interface StartWal {
  readonly kind: 'start-wal'
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  /** A record boundary (or any byte for a proposer) at or above the timeline's start and at or below its end. */
  readonly startLsn: Lsn
  /** `flush` is for the proposer of `term` and for peers; it ends with `fenced` when the SafeKeeper's last log term is another. */
  readonly upTo: 'commit' | 'flush'
  /** 0 with `commit`. */
  readonly term: number
}

export interface Feedback {
  readonly kind: 'feedback'
  /** End of WAL that the reader has applied. */
  readonly lastRecordLsn: Lsn
  readonly diskConsistentLsn: Lsn
  /** End of WAL whose effect is in object storage. */
  readonly remoteConsistentLsn: Lsn
}

export type WalReaderMessage = Subscribe | StartWal | Feedback

export interface TimelineStatus {
  readonly kind: 'timeline-status'
  readonly nodeId: number
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly systemIdentifier: bigint
  /** Where the timeline's WAL begins: its branch point. */
  readonly startLsn: Lsn
  readonly term: number
  readonly lastLogTerm: number
  readonly flushLsn: Lsn
  readonly commitLsn: Lsn
  readonly backupLsn: Lsn
  readonly remoteConsistentLsn: Lsn
}

export interface Subscribed {
  readonly kind: 'subscribed'
  readonly nodeId: number
  /** Timelines that are there and cannot be served now: none of the statuses before was theirs. */
  readonly unusableCount: number
}

export interface WalData {
  readonly kind: 'wal-data'
  readonly startLsn: Lsn
  readonly commitLsn: Lsn
  /** Never empty. Borrowed from the receive buffer. */
  readonly bytes: Uint8Array
}

export interface Keepalive {
  readonly kind: 'keepalive'
  readonly commitLsn: Lsn
}

export interface WalServiceError {
  readonly kind: 'error'
  readonly code: StorageErrorCode
  readonly message: string
}

export type WalServiceMessage = TimelineStatus | Subscribed | WalData | Keepalive | WalServiceError

const TYPE = {
  subscribe: 0x20,
  'start-wal': 0x21,
  feedback: 0x22,
  'timeline-status': 0x28,
  subscribed: 0x29,
  /** The same with a count of timelines that were left out. */
  subscribedInPart: 0x2c,
  'wal-data': 0x2a,
  keepalive: 0x2b,
  error: 0x2f,
} as const

/** True when a connection whose first frame has this type speaks this protocol. */
export function isWalServiceFrame(type: number): boolean {
  return type >= 0x20 && type <= 0x2f
}

/** A whole frame. WAL goes through `encodeWalData`, which does not copy it. */
export function encodeWalServiceMessage(message: Exclude<WalReaderMessage | WalServiceMessage, WalData>): Uint8Array {
  switch (message.kind) {
    case 'subscribe':
      return new MessageWriter(0).frame(TYPE.subscribe)
    case 'start-wal':
      return new MessageWriter(16 + 16 + 8 + 1 + 8)
        .hexId(message.projectId)
        .hexId(message.timelineId)
        .u64(message.startLsn)
        .u8(message.upTo === 'flush' ? 1 : 0)
        .u64(message.term)
        .frame(TYPE['start-wal'])
    case 'feedback':
      return new MessageWriter(24)
        .u64(message.lastRecordLsn)
        .u64(message.diskConsistentLsn)
        .u64(message.remoteConsistentLsn)
        .frame(TYPE.feedback)
    case 'timeline-status':
      return new MessageWriter(4 + 16 + 16 + 8 + 7 * 8)
        .u32(message.nodeId)
        .hexId(message.projectId)
        .hexId(message.timelineId)
        .bigU64(message.systemIdentifier)
        .u64(message.startLsn)
        .u64(message.term)
        .u64(message.lastLogTerm)
        .u64(message.flushLsn)
        .u64(message.commitLsn)
        .u64(message.backupLsn)
        .u64(message.remoteConsistentLsn)
        .frame(TYPE['timeline-status'])
    case 'subscribed':
      return message.unusableCount === 0
        ? new MessageWriter(4).u32(message.nodeId).frame(TYPE.subscribed)
        : new MessageWriter(8).u32(message.nodeId).u32(message.unusableCount).frame(TYPE.subscribedInPart)
    case 'keepalive':
      return new MessageWriter(8).u64(message.commitLsn).frame(TYPE.keepalive)
    case 'error': {
      const text = encodeText(message.message)
      return new MessageWriter(1 + 2 + text.length).u8(errorCodeNumber(message.code)).text(text).frame(TYPE.error)
    }
  }
}

const WAL_DATA_FIXED_SIZE = 16

/** The head of a wal-data frame; send it and then `data.bytes`, in one call. */
export function encodeWalData(data: WalData): Uint8Array {
  const head = new Uint8Array(FRAME_HEADER_SIZE + WAL_DATA_FIXED_SIZE)
  writeU64(head, FRAME_HEADER_SIZE, data.startLsn)
  writeU64(head, FRAME_HEADER_SIZE + 8, data.commitLsn)
  sealSplitFrame(head, data.bytes, TYPE['wal-data'])
  return head
}

/** Throws CorruptionError on an unknown type or a malformed payload. */
export function decodeWalReaderMessage(type: number, payload: Uint8Array): WalReaderMessage {
  switch (type) {
    case TYPE.subscribe:
      new MessageReader(payload, 'subscribe').done()
      return { kind: 'subscribe' }
    case TYPE['start-wal']: {
      const reader = new MessageReader(payload, 'start-wal')
      const message: StartWal = {
        kind: 'start-wal',
        projectId: reader.hexId() as ProjectId,
        timelineId: reader.hexId() as TimelineId,
        startLsn: reader.lsn(),
        upTo: reader.u8() === 1 ? 'flush' : 'commit',
        term: reader.u64(),
      }
      reader.done()
      return message
    }
    case TYPE.feedback: {
      const reader = new MessageReader(payload, 'feedback')
      const message: Feedback = {
        kind: 'feedback',
        lastRecordLsn: reader.lsn(),
        diskConsistentLsn: reader.lsn(),
        remoteConsistentLsn: reader.lsn(),
      }
      reader.done()
      return message
    }
    default:
      throw new CorruptionError('unknown message type from a wal reader', { type })
  }
}

/** Throws CorruptionError on an unknown type or a malformed payload. */
export function decodeWalServiceMessage(type: number, payload: Uint8Array): WalServiceMessage {
  switch (type) {
    case TYPE['wal-data']: {
      const reader = new MessageReader(payload, 'wal-data')
      const startLsn = reader.lsn()
      const commitLsn = reader.lsn()
      const bytes = reader.rest()
      if (bytes.length === 0 || bytes.length > WAL_DATA_BYTES_MAX) {
        throw new CorruptionError('wal-data length out of range', { length: bytes.length })
      }
      return { kind: 'wal-data', startLsn, commitLsn, bytes }
    }
    case TYPE.keepalive: {
      const reader = new MessageReader(payload, 'keepalive')
      const message: Keepalive = { kind: 'keepalive', commitLsn: reader.lsn() }
      reader.done()
      return message
    }
    case TYPE['timeline-status']: {
      const reader = new MessageReader(payload, 'timeline-status')
      const message: TimelineStatus = {
        kind: 'timeline-status',
        nodeId: reader.u32(),
        projectId: reader.hexId() as ProjectId,
        timelineId: reader.hexId() as TimelineId,
        systemIdentifier: reader.bigU64(),
        startLsn: reader.lsn(),
        term: reader.u64(),
        lastLogTerm: reader.u64(),
        flushLsn: reader.lsn(),
        commitLsn: reader.lsn(),
        backupLsn: reader.lsn(),
        remoteConsistentLsn: reader.lsn(),
      }
      reader.done()
      return message
    }
    case TYPE.subscribed: {
      const reader = new MessageReader(payload, 'subscribed')
      const message: Subscribed = { kind: 'subscribed', nodeId: reader.u32(), unusableCount: 0 }
      reader.done()
      return message
    }
    case TYPE.subscribedInPart: {
      const reader = new MessageReader(payload, 'subscribed')
      const message: Subscribed = { kind: 'subscribed', nodeId: reader.u32(), unusableCount: reader.u32() }
      reader.done()
      return message
    }
    case TYPE.error: {
      const reader = new MessageReader(payload, 'error')
      const message: WalServiceError = { kind: 'error', code: errorCodeOf(reader.u8()), message: reader.text() }
      reader.done()
      return message
    }
    default:
      throw new CorruptionError('unknown message type from the wal service', { type })
  }
}
