import { describe, expect, test } from 'vitest'
import { GUARD_HELD_BYTES_MAX, SyncWaitGuard } from './sync-wait-guard.ts'
import { decodeNoticeFields, encodeMessage } from './wire.ts'

const text = (value: string) => Buffer.from(`${value}\0`)
const complete = (tag: string) => encodeMessage('C', text(tag))
const ready = (status = 'I') => encodeMessage('Z', Buffer.from(status))
const notice = (fields: Record<string, string>) =>
  encodeMessage(
    'N',
    Buffer.from(
      `${Object.entries(fields)
        .map(([letter, value]) => `${letter}${value}\0`)
        .join('')}\0`,
    ),
  )
/** As Postgres 18 sends it. */
const brokenWait = (code = '01000') =>
  notice({
    S: 'WARNING',
    V: 'WARNING',
    C: code,
    M: 'canceling wait for synchronous replication due to user request',
    D: 'The transaction has already committed locally, but might not have been replicated to the standby.',
    F: 'syncrep.c',
    L: '306',
    R: 'SyncRepWaitForLSN',
  })
const bindComplete = encodeMessage('2', Buffer.alloc(0))
const row = (bytes = 10) => encodeMessage('D', Buffer.alloc(bytes, 0x41))

function open(onReady: () => boolean = () => true) {
  const written: Buffer[] = []
  const events: string[] = []
  const guard = new SyncWaitGuard({
    write: (bytes) => written.push(Buffer.from(bytes)),
    abort: (reason) => events.push(`abort: ${reason}`),
    onBrokenWait: () => events.push('broken'),
    onReady,
  })
  return {
    guard,
    events,
    /** Message types that reached the client, with the SQLSTATE of errors. */
    seen(): string {
      let all = Buffer.concat(written)
      const types: string[] = []
      while (all.length > 0) {
        const size = 1 + all.readUInt32BE(1)
        const type = String.fromCharCode(all[0]!)
        const code = type === 'E' ? decodeNoticeFields(all.subarray(5, size)).get('C') : undefined
        types.push(code === undefined ? type : `${type}:${code}`)
        all = all.subarray(size)
      }
      return types.join(' ')
    },
    bytes: () => Buffer.concat(written),
  }
}

/** Every way to cut the stream in two, and byte by byte. */
function cuts(stream: Buffer): Buffer[][] {
  const result = Array.from({ length: stream.length }, (_, at) => [stream.subarray(0, at), stream.subarray(at)])
  result.push(Array.from(stream, (byte) => Buffer.from([byte])))
  return result
}

const rounds: [name: string, stream: Buffer[], expected: string][] = [
  ['simple query', [brokenWait(), complete('INSERT 0 1'), ready()], 'E:40003 Z'],
  ['extended query, explicit COMMIT', [bindComplete, brokenWait(), complete('COMMIT'), ready()], '2 E:40003 Z'],
  [
    'extended query, implicit transaction',
    [bindComplete, complete('INSERT 0 1'), brokenWait(), ready()],
    '2 E:40003 Z',
  ],
  ['CREATE TABLE AS, whose tag is SELECT', [bindComplete, complete('SELECT 5'), brokenWait(), ready()], '2 E:40003 Z'],
  [
    'several statements in one implicit transaction',
    [complete('INSERT 0 1'), row(), brokenWait(), complete('UPDATE 1'), ready()],
    'E:40003 Z',
  ],
  ['a procedure that goes on after an inner commit', [brokenWait(), row(), complete('CALL'), ready()], 'E:40003 Z'],
  ['two broken waits in one command', [brokenWait(), row(), brokenWait(), complete('CALL'), ready()], 'E:40003 Z'],
  [
    'the next command is not touched',
    [brokenWait(), complete('COMMIT'), ready(), row(), complete('SELECT 1'), ready()],
    'E:40003 Z D C Z',
  ],
]

describe('a broken wait never looks like a commit', () => {
  for (const [name, stream, expected] of rounds) {
    test(`${name}, however the bytes are cut`, () => {
      for (const chunks of cuts(Buffer.concat(stream))) {
        const { guard, seen, events } = open()
        for (const chunk of chunks) guard.feed(Buffer.from(chunk))
        expect(seen()).toBe(expected)
        expect(events).toEqual(['broken'])
      }
    })
  }

  test('termination while waiting is a fatal error', () => {
    const { guard, seen, bytes } = open()
    guard.feed(Buffer.concat([complete('INSERT 0 1'), brokenWait('57P01')]))
    expect(seen()).toBe('E:40003')
    expect(bytes().toString('latin1')).toContain('SFATAL\0')
  })

  test('a copy after it ends the session', () => {
    const { guard, events } = open()
    guard.feed(Buffer.concat([brokenWait(), encodeMessage('G', Buffer.alloc(3))]))
    expect(events).toEqual(['broken', 'abort: a copy follows a commit whose outcome is unknown'])
  })
})

describe('everything else passes unchanged', () => {
  test('however the bytes are cut', () => {
    const stream = Buffer.concat([
      bindComplete,
      row(),
      notice({
        S: 'WARNING',
        C: '01000',
        M: 'canceling wait for synchronous replication due to user request',
        R: 'exec_stmt_raise',
      }),
      notice({ S: 'NOTICE', C: '00000', M: 'RSyncRepWaitForLSN', R: 'exec_stmt_raise' }),
      complete('INSERT 0 1'),
      encodeMessage('A', Buffer.alloc(12)),
      ready('T'),
      encodeMessage('E', Buffer.from('SERROR\0C22012\0\0')),
      ready('E'),
      complete('ROLLBACK'),
      ready(),
    ])
    for (const chunks of cuts(stream)) {
      const { guard, bytes } = open()
      for (const chunk of chunks) guard.feed(Buffer.from(chunk))
      expect(bytes().equals(stream)).toBe(true)
    }
  })

  test('a whole round passes in the chunk it came in', () => {
    const { guard, bytes } = open()
    const chunk = Buffer.concat([bindComplete, row(), complete('SELECT 1'), ready()])
    guard.feed(chunk)
    expect(bytes().equals(chunk)).toBe(true)
    expect(guard.heldBytes).toBe(0)
  })

  test('large rows pass before their end has come', () => {
    const { guard, bytes } = open()
    const message = row(1_000_000)
    guard.feed(message.subarray(0, 500_000))
    expect(bytes()).toHaveLength(500_000)
  })
})

describe('what is kept back', () => {
  test('CommandComplete waits for ReadyForQuery', () => {
    const { guard, seen } = open()
    guard.feed(Buffer.concat([bindComplete, complete('INSERT 0 1')]))
    expect(seen()).toBe('2')
    guard.feed(ready())
    expect(seen()).toBe('2 C Z')
  })

  test('a client that sent Flush gets its answers at once', () => {
    const { guard, seen } = open()
    guard.feed(complete('INSERT 0 1'))
    guard.flushRequested()
    expect(seen()).toBe('C')
    guard.feed(complete('INSERT 0 1'))
    expect(seen()).toBe('C C')
    guard.feed(Buffer.concat([ready(), complete('INSERT 0 1')]))
    expect(seen()).toBe('C C Z')
  })

  test('never more than its bound', () => {
    const { guard, bytes } = open()
    guard.feed(complete('INSERT 0 1'))
    for (let sent = 0; sent <= GUARD_HELD_BYTES_MAX; sent += 1000) {
      guard.feed(row(995))
      expect(guard.heldBytes).toBeLessThanOrEqual(GUARD_HELD_BYTES_MAX)
    }
    expect(bytes().length).toBeGreaterThan(GUARD_HELD_BYTES_MAX)
  })

  test('a kept ReadyForQuery goes with its answer, or the answer is taken back', () => {
    for (const isUnknown of [false, true]) {
      const { guard, seen } = open(() => false)
      guard.feed(Buffer.concat([bindComplete, complete('INSERT 0 1'), ready(), encodeMessage('A', Buffer.alloc(9))]))
      expect(guard.isKeepingReady).toBe(true)
      if (isUnknown) guard.replaceRound()
      else guard.release()
      expect(seen()).toBe(isUnknown ? 'E:40003 Z A' : '2 C Z A')
    }
  })

  test('a message of impossible length ends the session', () => {
    const { guard, events } = open()
    guard.feed(Buffer.from([0x44, 0, 0, 0, 1, 0]))
    expect(events).toEqual(['abort: the compute sent a message of impossible length'])
  })
})
