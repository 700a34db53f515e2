import { expect, test } from 'vitest'
import { environmentLines, psqlLine, uriHidden, uriWithPassword } from './connection-uri.ts'

const uri = 'postgresql://app@ep-1.localhost:5433/shop?sslmode=require'

test('a password of any characters arrives whole', () => {
  for (const password of ['simple', 'p@ss/w:rd?#%', "quo'te", 'ünï']) {
    const full = uriWithPassword(uri, password)
    expect(decodeURIComponent(new URL(full).password)).toBe(password)
    expect(new URL(full).hostname).toBe('ep-1.localhost')
  }
})

test('what is shown holds no password', () => {
  expect(uriHidden(uriWithPassword(uri, 'secret'))).not.toContain('secret')
  expect(uriHidden(uri)).toContain('app:••••••••@')
})

test('the psql line is one shell word', () => {
  expect(psqlLine("postgresql://a:it's@h/db")).toBe("psql 'postgresql://a:it%27s@h/db'")
})

test('the environment names the endpoint where the host does not', () => {
  const parts = { host: 'localhost', port: 5433, database: 'shop', role: 'app' }
  const byOptions = `postgresql://app@localhost:5433/shop?sslmode=require&options=${encodeURIComponent('endpoint=ep-1')}`
  expect(environmentLines({ ...parts, uri: byOptions })).toContain('PGOPTIONS=endpoint=ep-1')
  expect(environmentLines({ ...parts, uri })).not.toContain('PGOPTIONS')
})
