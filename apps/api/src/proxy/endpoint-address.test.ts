import { describe, expect, test } from 'vitest'
import { resolveEndpointAddress } from './endpoint-address.ts'
import { ProxyError } from './wire.ts'

const resolve = (parameters: Record<string, string>, serverName?: string, publicHost = 'db.example.com') =>
  resolveEndpointAddress({ serverName, publicHost, parameters: new Map(Object.entries(parameters)) })

const refusal = (run: () => unknown): ProxyError => {
  try {
    run()
  } catch (error) {
    if (error instanceof ProxyError) return error
    throw error
  }
  throw new Error('was accepted')
}

describe('which endpoint a connection means', () => {
  test('the first label of a TLS host below the public host', () => {
    expect(resolve({ user: 'ann' }, 'quiet-lake.db.example.com').label).toBe('quiet-lake')
    expect(resolve({ user: 'ann' }, 'EP-A.DB.example.com.').label).toBe('ep-a')
  })

  test('an ep- or br- label counts below any host, other names do not', () => {
    expect(resolve({ user: 'ann' }, 'br-a.elsewhere.net').label).toBe('br-a')
    expect(refusal(() => resolve({ user: 'ann' }, 'www.elsewhere.net')).sqlstate).toBe('08004')
    expect(refusal(() => resolve({ user: 'ann' }, 'localhost')).hint).toContain('options=endpoint%3D')
  })

  test.each([
    ['endpoint=ep-a', undefined],
    ['--endpoint=ep-a', undefined],
    ['project=ep-a', undefined],
    ['endpoint%3Dep-a', undefined],
    ['-c geqo=off endpoint=EP-A -c search_path=a\\ b', '-c geqo=off -c search_path=a\\ b'],
  ])('options %j name ep-a, and the compute sees the rest', (options, rest) => {
    const address = resolve({ user: 'ann', options })
    expect(address.label).toBe('ep-a')
    expect(address.parameters.get('options')).toBe(rest)
  })

  test('a setting that only ends in endpoint= is the compute’s', () => {
    const address = resolve({ user: 'ann@ep-a', options: '-c my.endpoint=b' })
    expect(address.label).toBe('ep-a')
    expect(address.parameters.get('options')).toBe('-c my.endpoint=b')
  })

  test('the user name after its last @ names the endpoint when nothing else does', () => {
    const address = resolve({ user: 'ann@corp@ep-a' })
    expect(address).toMatchObject({ label: 'ep-a', user: 'ann@corp', database: 'ann@corp' })
    expect(address.parameters.get('user')).toBe('ann@corp')
    expect(resolve({ user: 'ann@corp', options: 'endpoint=ep-a' }).user).toBe('ann@corp')
  })

  test('host and option that differ are refused', () => {
    const error = refusal(() => resolve({ user: 'ann', options: 'endpoint=ep-b' }, 'ep-a.db.example.com'))
    expect(error).toMatchObject({ sqlstate: '08004', detail: 'ep-a, ep-b' })
    expect(resolve({ user: 'ann', options: 'endpoint=ep-a' }, 'ep-a.db.example.com').label).toBe('ep-a')
  })

  test('a moment of the past comes from options', () => {
    const lsn = resolve({ user: 'ann', options: 'neon_lsn:0/16B3748' }, 'br-a.db.example.com')
    expect(lsn).toMatchObject({ lsn: '0/16B3748', timestamp: undefined })
    expect(lsn.parameters.has('options')).toBe(false)
    const time = resolve({ user: 'ann', options: 'neon_timestamp%3A2026-03-01T12:00:00Z' }, 'br-a.db.example.com')
    expect(time).toMatchObject({ lsn: undefined, timestamp: '2026-03-01T12:00:00Z' })
  })

  test.each([
    ['neon_lsn:12', 'neon_lsn'],
    ['neon_lsn:0/1/2', 'neon_lsn'],
    ['neon_timestamp:yesterday', 'neon_timestamp'],
    ['neon_lsn:0/1 neon_timestamp:2026-03-01', 'neon_timestamp'],
    ['neon_lsn:', 'neon_lsn'],
  ])('bad moment %j is refused by its name', (options, name) => {
    const error = refusal(() => resolve({ user: 'ann', options }, 'br-a.db.example.com'))
    expect(error.sqlstate).toBe('22023')
    expect(error.message).toContain(name)
  })

  test('a name with -pooler means the pool of the endpoint without it, however it is given', () => {
    const pooled = { label: 'ep-a', isPooled: true }
    expect(resolve({ user: 'ann' }, 'ep-a-pooler.db.example.com')).toMatchObject(pooled)
    expect(resolve({ user: 'ann', options: 'endpoint=ep-a-pooler' })).toMatchObject(pooled)
    expect(resolve({ user: 'ann@ep-a-pooler' })).toMatchObject({ ...pooled, user: 'ann' })
    expect(resolve({ user: 'ann@ep-a' }).isPooled).toBe(false)
  })

  test.each(['-c geqo=off', 'neon_lsn:0/16B3748', 'neon_timestamp:2026-03-01'])(
    'a pooled connection with %j is refused with the way out',
    (options) => {
      const error = refusal(() => resolve({ user: 'ann', options }, 'ep-a-pooler.db.example.com'))
      expect(error).toMatchObject({ sqlstate: '0A000', hint: expect.stringContaining('without -pooler') })
    },
  )

  test('no user, a long name, a strange label and replication are refused', () => {
    expect(refusal(() => resolve({ options: 'endpoint=ep-a' })).sqlstate).toBe('28000')
    expect(refusal(() => resolve({ user: `${'x'.repeat(64)}@ep-a` })).message).toContain('user name')
    expect(refusal(() => resolve({ user: 'ann', options: 'endpoint=../etc' })).sqlstate).toBe('08004')
    expect(refusal(() => resolve({ user: 'ann@ep-a', replication: 'database' })).sqlstate).toBe('0A000')
    expect(resolve({ user: 'ann@ep-a', replication: 'off' }).label).toBe('ep-a')
  })
})
