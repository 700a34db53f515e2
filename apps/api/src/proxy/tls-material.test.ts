import { execFileSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { makeSelfSignedCertificate } from './self-signed-certificate.ts'
import { loadTlsMaterial } from './tls-material.ts'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-tls-'))
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'])
    return true
  } catch {
    return false
  }
})()

const names = ['db.example.com', '*.db.example.com', '127.0.0.1', '::1']
const nowMs = Date.UTC(2026, 2, 1)

describe('the certificate of our own', () => {
  test('is valid for its names, and signed by its own key', () => {
    const made = makeSelfSignedCertificate({ names, validFromMs: nowMs, validDays: 10 })
    const certificate = new X509Certificate(made.certificatePem)
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(certificate.checkHost('ep-a.db.example.com')).toBe('*.db.example.com')
    expect(certificate.checkHost('example.org')).toBeUndefined()
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
    expect(certificate.checkIP('::1')).toBe('::1')
    expect(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)).toBe(10 * 86_400_000)
  })

  test.skipIf(!hasOpenssl)('openssl verifies it as its own root', () => {
    const file = path.join(folder, 'own.crt')
    const made = makeSelfSignedCertificate({ names, validFromMs: Date.now() - 1000, validDays: 10_000 })
    fs.writeFileSync(file, made.certificatePem)
    expect(execFileSync('openssl', ['verify', '-x509_strict', '-CAfile', file, file]).toString()).toContain('OK')
  })

  test('is made once and kept, its key readable by its owner only', () => {
    const home = path.join(folder, 'kept')
    const [first, second] = [1, 2].map(() => loadTlsMaterial({ given: undefined, folder: home, names, nowMs }))
    expect(second?.channelBinding).toEqual(first?.channelBinding)
    expect(fs.statSync(path.join(home, 'proxy.key')).mode & 0o777).toBe(0o600)
  })
})

describe('a given certificate', () => {
  const make = (name: string, ...args: string[]) => {
    const [certFile, keyFile] = [path.join(folder, `${name}.crt`), path.join(folder, `${name}.key`)]
    execFileSync(
      'openssl',
      ['req', '-x509', '-nodes', '-subj', '/CN=db', '-days', '9', '-out', certFile, '-keyout', keyFile, ...args],
      { stdio: 'ignore' },
    )
    return { certFile, keyFile }
  }
  const load = (given: { certFile: string; keyFile: string }) => loadTlsMaterial({ given, folder, names, nowMs })

  test.skipIf(!hasOpenssl).each([
    ['RSA with SHA-256', ['-newkey', 'rsa:2048', '-sha256'], 'sha256'],
    ['RSA with SHA-512', ['-newkey', 'rsa:2048', '-sha512'], 'sha512'],
    ['RSA with SHA-1, which counts as SHA-256', ['-newkey', 'rsa:2048', '-sha1'], 'sha256'],
    ['ECDSA with SHA-384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp384r1', '-sha384'], 'sha384'],
    [
      'RSA-PSS with SHA-384',
      ['-newkey', 'rsa:2048', '-sha384', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:-1'],
      'sha384',
    ],
    ['Ed25519, which has none', ['-newkey', 'ed25519'], undefined],
  ])('%s is bound to by its own hash', (name, args, hash) => {
    const given = make(name.split(' ').join('-'), ...args)
    const der = new X509Certificate(fs.readFileSync(given.certFile)).raw
    const expected = hash === undefined ? undefined : createHash(hash).update(der).digest()
    expect(load(given).channelBinding).toEqual(expected)
  })

  test.skipIf(!hasOpenssl)('a key of another certificate, a missing file and a text file are named', () => {
    const [a, b] = [make('a', '-newkey', 'ed25519'), make('b', '-newkey', 'ed25519')]
    expect(() => load({ certFile: a.certFile, keyFile: b.keyFile })).toThrow(b.keyFile)
    expect(() => load({ certFile: path.join(folder, 'none'), keyFile: a.keyFile })).toThrow('none')
    fs.writeFileSync(path.join(folder, 'text'), 'no certificate')
    expect(() => load({ certFile: path.join(folder, 'text'), keyFile: a.keyFile })).toThrow('text')
  })
})
