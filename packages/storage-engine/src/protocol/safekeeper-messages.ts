import { CorruptionError, type StorageErrorCode } from '../base/errors.ts'
import { WAL_SEGMENT_SIZE } from '../postgres/constants.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { writeU64 } from './byte-fields.ts'
import { errorCodeNumber, errorCodeOf } from './error-codes.ts'
import { FRAME_HEADER_SIZE, sealSplitFrame } from './framing.ts'
import { MessageReader } from './message-reader.ts'
import { encodeText, MessageWriter } from './message-writer.ts'

/**
 * The consensus protocol between one proposer (a compute's sidecar) and one SafeKeeper. Frame types 0x10..0x1f.
 *
 *   proposer                          safekeeper
 *   greeting                     ->
 *                                <-   greeting-response
 *   vote-request                 ->
 *                                <-   vote-response
 *   elected                      ->
 *                                <-   append-response     (the new history is durable)
 *   append, append, append …     ->   (not waited for)
 *                                <-   append-response     (one may cover many appends)
 *
 * Either side's refusal ends the connection. Integers are little-endian.
 */
export const SAFEKEEPER_PROTOCOL_VERSION = 1
/** WAL bytes of one append at most. */
export const APPEND_BYTES_MAX = 128 * 1024
/** Entries of a term history at most; each entry is one compute start, so 16 bytes x 16384 = 256 KiB. */
export const TERM_HISTORY_ENTRIES_MAX = 16384
/** The longest message is a vote-response or elected with a full history. */
export const SAFEKEEPER_PAYLOAD_BYTES_MAX = TERM_HISTORY_ENTRIES_MAX * 16 + 4096

/** One reign: its term and the LSN where its WAL begins. */
export interface TermStart {
  readonly term: number
  readonly lsn: Lsn
}

/** Terms and LSNs both ascend (LSNs not strictly). */
export type TermHistory = readonly TermStart[]

export interface Greeting {
  readonly kind: 'greeting'
  readonly protocolVersion: number
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly systemIdentifier: bigint
  readonly pgMajorVersion: number
  readonly segmentSize: number
}

/** What this version says first. */
export function greetingOf(identity: {
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly systemIdentifier: bigint
}): Greeting {
  const { projectId, timelineId, systemIdentifier } = identity
  return {
    kind: 'greeting',
    protocolVersion: SAFEKEEPER_PROTOCOL_VERSION,
    projectId,
    timelineId,
    systemIdentifier,
    pgMajorVersion: 18,
    segmentSize: WAL_SEGMENT_SIZE,
  }
}

export interface VoteRequest {
  readonly kind: 'vote-request'
  readonly term: number
}

export interface Elected {
  readonly kind: 'elected'
  readonly term: number
  /** Highest common point of both histories: the SafeKeeper cuts its WAL here, the proposer sends from here. */
  readonly streamStartLsn: Lsn
  readonly history: TermHistory
}

export interface Append {
  readonly kind: 'append'
  readonly term: number
  readonly beginLsn: Lsn
  readonly commitLsn: Lsn
  /** No member needs WAL below this from a peer. */
  readonly peerHorizonLsn: Lsn
  /** Empty: tells the commit LSN, asks for an answer. Borrowed from the receive buffer. */
  readonly bytes: Uint8Array
}

export type ProposerMessage = Greeting | VoteRequest | Elected | Append

export interface GreetingResponse {
  readonly kind: 'greeting-response'
  readonly nodeId: number
  readonly term: number
}

export interface VoteResponse {
  readonly kind: 'vote-response'
  /** The SafeKeeper's term after the request. */
  readonly term: number
  readonly granted: boolean
  /** End of the last whole record that is durable. */
  readonly flushLsn: Lsn
  readonly commitLsn: Lsn
  readonly peerHorizonLsn: Lsn
  /** As stored: it may name entries past flushLsn. */
  readonly history: TermHistory
}

export interface AppendResponse {
  readonly kind: 'append-response'
  /** Higher than the proposer's own: the proposer is fenced and the LSNs mean nothing to it. */
  readonly term: number
  readonly flushLsn: Lsn
  readonly commitLsn: Lsn
  /** Feedback of the PageServer as this SafeKeeper knows it; 0 = none yet. */
  readonly pageserverReceivedLsn: Lsn
  readonly remoteConsistentLsn: Lsn
}

export interface Refusal {
  readonly kind: 'refusal'
  readonly code: StorageErrorCode
  /** The SafeKeeper's term, or 0 where there is no timeline. */
  readonly term: number
  readonly message: string
}

export type AcceptorMessage = GreetingResponse | VoteResponse | AppendResponse | Refusal

const TYPE = {
  greeting: 0x10,
  'vote-request': 0x11,
  elected: 0x12,
  append: 0x13,
  'greeting-response': 0x18,
  'vote-response': 0x19,
  'append-response': 0x1a,
  refusal: 0x1f,
} as const

/** A whole frame. Appends go through `encodeAppend`, which does not copy the WAL. */
export function encodeSafekeeperMessage(message: Exclude<ProposerMessage | AcceptorMessage, Append>): Uint8Array {
  switch (message.kind) {
    case 'greeting':
      return new MessageWriter(2 + 16 + 16 + 8 + 2 + 4)
        .u16(message.protocolVersion)
        .hexId(message.projectId)
        .hexId(message.timelineId)
        .bigU64(message.systemIdentifier)
        .u16(message.pgMajorVersion)
        .u32(message.segmentSize)
        .frame(TYPE.greeting)
    case 'vote-request':
      return new MessageWriter(8).u64(message.term).frame(TYPE['vote-request'])
    case 'elected': {
      const writer = new MessageWriter(8 + 8 + 4 + message.history.length * 16)
      writer.u64(message.term).u64(message.streamStartLsn)
      return writeHistory(writer, message.history).frame(TYPE.elected)
    }
    case 'greeting-response':
      return new MessageWriter(4 + 8).u32(message.nodeId).u64(message.term).frame(TYPE['greeting-response'])
    case 'vote-response': {
      const writer = new MessageWriter(8 + 1 + 8 + 8 + 8 + 4 + message.history.length * 16)
      writer.u64(message.term).u8(message.granted ? 1 : 0)
      writer.u64(message.flushLsn).u64(message.commitLsn).u64(message.peerHorizonLsn)
      return writeHistory(writer, message.history).frame(TYPE['vote-response'])
    }
    case 'append-response':
      return new MessageWriter(40)
        .u64(message.term)
        .u64(message.flushLsn)
        .u64(message.commitLsn)
        .u64(message.pageserverReceivedLsn)
        .u64(message.remoteConsistentLsn)
        .frame(TYPE['append-response'])
    case 'refusal': {
      const text = encodeText(message.message)
      return new MessageWriter(1 + 8 + 2 + text.length)
        .u8(errorCodeNumber(message.code))
        .u64(message.term)
        .text(text)
        .frame(TYPE.refusal)
    }
  }
}

export const APPEND_FRAME_TYPE = TYPE.append
/** Payload of an append before its WAL: u64 term, begin, commit, peer horizon. */
export const APPEND_FIXED_SIZE = 32

/** The head of an append frame; send it and then `append.bytes`, in one call. */
export function encodeAppend(append: Append): Uint8Array {
  const head = new Uint8Array(FRAME_HEADER_SIZE + APPEND_FIXED_SIZE)
  writeU64(head, FRAME_HEADER_SIZE, append.term)
  writeU64(head, FRAME_HEADER_SIZE + 8, append.beginLsn)
  writeU64(head, FRAME_HEADER_SIZE + 16, append.commitLsn)
  writeU64(head, FRAME_HEADER_SIZE + 24, append.peerHorizonLsn)
  sealSplitFrame(head, append.bytes, TYPE.append)
  return head
}

/** Throws CorruptionError on an unknown type or a malformed payload. */
export function decodeProposerMessage(type: number, payload: Uint8Array): ProposerMessage {
  switch (type) {
    case TYPE.append: {
      const reader = new MessageReader(payload, 'append')
      const term = reader.u64()
      const beginLsn = reader.lsn()
      const commitLsn = reader.lsn()
      const peerHorizonLsn = reader.lsn()
      const bytes = reader.rest()
      if (bytes.length > APPEND_BYTES_MAX) throw new CorruptionError('append too long', { length: bytes.length })
      return { kind: 'append', term, beginLsn, commitLsn, peerHorizonLsn, bytes }
    }
    case TYPE.greeting: {
      const reader = new MessageReader(payload, 'greeting')
      const message: Greeting = {
        kind: 'greeting',
        protocolVersion: reader.u16(),
        projectId: reader.hexId() as ProjectId,
        timelineId: reader.hexId() as TimelineId,
        systemIdentifier: reader.bigU64(),
        pgMajorVersion: reader.u16(),
        segmentSize: reader.u32(),
      }
      reader.done()
      return message
    }
    case TYPE['vote-request']: {
      const reader = new MessageReader(payload, 'vote-request')
      const message: VoteRequest = { kind: 'vote-request', term: reader.u64() }
      reader.done()
      return message
    }
    case TYPE.elected: {
      const reader = new MessageReader(payload, 'elected')
      const term = reader.u64()
      const streamStartLsn = reader.lsn()
      const history = readHistory(reader)
      reader.done()
      return { kind: 'elected', term, streamStartLsn, history }
    }
    default:
      throw new CorruptionError('unknown message type from a proposer', { type })
  }
}

/** Throws CorruptionError on an unknown type or a malformed payload. */
export function decodeAcceptorMessage(type: number, payload: Uint8Array): AcceptorMessage {
  switch (type) {
    case TYPE['append-response']: {
      const reader = new MessageReader(payload, 'append-response')
      const message: AppendResponse = {
        kind: 'append-response',
        term: reader.u64(),
        flushLsn: reader.lsn(),
        commitLsn: reader.lsn(),
        pageserverReceivedLsn: reader.lsn(),
        remoteConsistentLsn: reader.lsn(),
      }
      reader.done()
      return message
    }
    case TYPE['greeting-response']: {
      const reader = new MessageReader(payload, 'greeting-response')
      const message: GreetingResponse = { kind: 'greeting-response', nodeId: reader.u32(), term: reader.u64() }
      reader.done()
      return message
    }
    case TYPE['vote-response']: {
      const reader = new MessageReader(payload, 'vote-response')
      const term = reader.u64()
      const granted = reader.u8() === 1
      const flushLsn = reader.lsn()
      const commitLsn = reader.lsn()
      const peerHorizonLsn = reader.lsn()
      const history = readHistory(reader)
      reader.done()
      return { kind: 'vote-response', term, granted, flushLsn, commitLsn, peerHorizonLsn, history }
    }
    case TYPE.refusal: {
      const reader = new MessageReader(payload, 'refusal')
      const message: Refusal = {
        kind: 'refusal',
        code: errorCodeOf(reader.u8()),
        term: reader.u64(),
        message: reader.text(),
      }
      reader.done()
      return message
    }
    default:
      throw new CorruptionError('unknown message type from a safekeeper', { type })
  }
}

function writeHistory(writer: MessageWriter, history: TermHistory): MessageWriter {
  writer.u32(history.length)
  for (const entry of history) writer.u64(entry.term).u64(entry.lsn)
  return writer
}

function readHistory(reader: MessageReader): TermHistory {
  const length = reader.u32()
  if (length > TERM_HISTORY_ENTRIES_MAX) throw new CorruptionError('term history too long', { length })
  const history: TermStart[] = []
  for (let i = 0; i < length; i++) {
    const entry: TermStart = { term: reader.u64(), lsn: reader.lsn() }
    const previous = history[i - 1]
    if (previous !== undefined && (entry.term <= previous.term || entry.lsn < previous.lsn)) {
      throw new CorruptionError('term history does not ascend', { term: entry.term, previousTerm: previous.term })
    }
    history.push(entry)
  }
  return history
}
