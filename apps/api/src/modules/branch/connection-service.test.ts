import { expect, test } from 'vitest'
import type { App } from '../../app.ts'
import { connectionDetails } from './connection-details.ts'
import { ConnectionService } from './connection-service.ts'

function serviceAt(publicHost: string): ConnectionService {
  return new ConnectionService({ config: { proxy: { host: '0.0.0.0', port: 5433, publicHost } } } as App)
}

const wanted = { role: 'app', database: 'shop', password: 'p@ss' }

test('a pooled string names the pool, in the host or in the options', () => {
  const pooled = { ...wanted, isPooled: true }
  expect(serviceAt('db.example.com').forEndpoint('ep-1', pooled)).toMatchObject({
    host: 'ep-1-pooler.db.example.com',
    uri: 'postgresql://app:p%40ss@ep-1-pooler.db.example.com:5433/shop?sslmode=require',
  })
  expect(serviceAt('localhost').forEndpoint('ep-1', pooled).uri).toContain('options=endpoint%3Dep-1-pooler')
})

test('where names below the host resolve, the host names the endpoint', () => {
  const { uri, host } = serviceAt('db.example.com').forEndpoint('ep-1', wanted)
  expect(host).toBe('ep-1.db.example.com')
  expect(uri).toBe('postgresql://app:p%40ss@ep-1.db.example.com:5433/shop?sslmode=require')
})

test('both interfaces make the same string, but for the channel binding that only REST asks for', () => {
  const app = { config: { proxy: { host: '0.0.0.0', port: 5433, publicHost: 'db.example.com' } } } as App
  const { uri } = new ConnectionService(app).forEndpoint('ep-1', wanted)
  const { connection_uri: rest } = connectionDetails(app, { id: 'ep-1' }, wanted)
  expect(rest).toBe(uri.replace('sslmode=require', 'sslmode=require&channel_binding=require'))
})

test.each([
  ['localhost', 'localhost'],
  ['192.0.2.7', '192.0.2.7'],
  ['::1', '[::1]'],
])('below %s no name resolves, and the options name the endpoint', (publicHost, inUri) => {
  const { uri } = serviceAt(publicHost).forEndpoint('ep-1', wanted)
  expect(uri).toBe(`postgresql://app:p%40ss@${inUri}:5433/shop?sslmode=require&options=endpoint%3Dep-1`)
})
