import { describe, expect, test } from 'vitest'
import { type LiveSession, LiveSessions } from './live-sessions.ts'
import type { ProxyError } from './wire.ts'

function session(more: Partial<LiveSession> = {}) {
  const ended: string[] = []
  const live = {
    endpointId: 'a',
    address: { host: 'h', port: 1 },
    isPooled: false,
    idleTimeoutMs: 0,
    bytesFromClient: 0,
    bytesToClient: 0,
    end: (error: ProxyError) => ended.push(error.sqlstate),
    ...more,
  }
  return { live, ended }
}

describe('live sessions', () => {
  test('places being taken count against the limit', () => {
    const sessions = new LiveSessions()
    const leave = sessions.reserve('a', 2)
    sessions.add(session().live, 0)
    expect(() => sessions.reserve('a', 2)).toThrow('too many connections')
    expect(() => sessions.reserve('b', 2)).not.toThrow()
    leave()
    expect(() => sessions.reserve('a', 2)).not.toThrow()
  })

  test('pooled sessions have a limit of their own', () => {
    const sessions = new LiveSessions()
    sessions.add(session({ isPooled: true }).live, 0)
    sessions.reserve('a', 2, { isPooled: true })
    expect(() => sessions.reserve('a', 2, { isPooled: true })).toThrow('too many connections')
    expect(() => sessions.reserve('a', 1)).not.toThrow()
    expect(() => sessions.reserve('a', 1)).toThrow('too many connections')
  })

  test('the report has what moved since the last one', () => {
    const sessions = new LiveSessions()
    const [busy, quiet] = [session(), session()]
    sessions.add(busy.live, 1000)
    sessions.add(quiet.live, 1000)
    busy.live.bytesFromClient = 10
    busy.live.bytesToClient = 20
    expect(sessions.sweep(2000)).toEqual([
      {
        endpointId: 'a',
        connections: 2,
        activeConnections: 1,
        lastActivityMs: 2000,
        bytesFromClients: 10,
        bytesToClients: 20,
      },
    ])
    expect(sessions.sweep(3000)[0]).toMatchObject({ activeConnections: 0, bytesFromClients: 0, lastActivityMs: 2000 })
    sessions.remove(busy.live)
    sessions.remove(quiet.live)
    expect(sessions.sweep(4000)).toEqual([])
    expect(sessions.count).toBe(0)
  })

  test('a session on which nothing moves for its time is ended with 57P05', () => {
    const sessions = new LiveSessions()
    const idle = session({ idleTimeoutMs: 500 })
    sessions.add(idle.live, 0)
    idle.live.bytesFromClient = 1
    sessions.sweep(400)
    sessions.sweep(899)
    expect(idle.ended).toEqual([])
    sessions.sweep(900)
    expect(idle.ended).toEqual(['57P05'])
  })

  test('sessions at another address than the endpoint’s are ended, the rest stay', () => {
    const sessions = new LiveSessions()
    const [old, current, other] = [
      session(),
      session({ address: { host: 'h', port: 2 } }),
      session({ endpointId: 'b' }),
    ]
    for (const { live } of [old, current, other]) sessions.add(live, 0)
    expect(sessions.endElsewhere('a', { host: 'h', port: 2 })).toBe(1)
    expect([old.ended, current.ended, other.ended]).toEqual([['57P01'], [], []])
    expect(sessions.endElsewhere('a', null)).toBe(2)
  })
})
