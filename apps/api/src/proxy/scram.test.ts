import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  checkClientProof,
  decodeClientFirst,
  mockScramVerifier,
  parseScramVerifier,
  ScramKeyClient,
  type ScramVerifier,
  serverFirst,
} from './scram.ts'
import { ProxyError } from './wire.ts'

const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest()

function makeVerifier(password: string, salt = randomBytes(16)): ScramVerifier & { clientKey: Buffer } {
  const salted = pbkdf2Sync(password, salt, 4096, 32, 'sha256')
  const clientKey = hmac(salted, 'Client Key')
  return {
    iterations: 4096,
    salt: salt.toString('base64'),
    storedKey: sha(clientKey),
    serverKey: hmac(salted, 'Server Key'),
    clientKey,
  }
}

function initial(text: string, mechanism = 'SCRAM-SHA-256'): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(Buffer.byteLength(text))
  return Buffer.concat([Buffer.from(`${mechanism}\0`), length, Buffer.from(text)])
}

const sqlstate = (run: () => unknown): string => {
  try {
    run()
    return 'accepted'
  } catch (error) {
    if (error instanceof ProxyError) return error.sqlstate
    throw error
  }
}

describe('verifiers', () => {
  test('one that Postgres wrote is read', () => {
    const verifier = makeVerifier('secret')
    const text = `SCRAM-SHA-256$4096:${verifier.salt}$${verifier.storedKey.toString('base64')}:${verifier.serverKey.toString('base64')}`
    expect(parseScramVerifier(text)).toMatchObject({ iterations: 4096, salt: verifier.salt })
  })

  test.each(['', 'md5abc', 'SCRAM-SHA-256$4096:AA==$AA==:AA==', 'SCRAM-SHA-256$0:AA==$x:y'])('%j is none', (text) =>
    expect(parseScramVerifier(text)).toBeUndefined(),
  )

  test('a made-up one is the same at every attempt, and differs by user, endpoint and secret', () => {
    const [a, b] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
    const salt = mockScramVerifier(a, 'ep-a', 'ann').salt
    expect(mockScramVerifier(a, 'ep-a', 'ann').salt).toBe(salt)
    const others = [
      mockScramVerifier(a, 'ep-a', 'bob'),
      mockScramVerifier(a, 'ep-b', 'ann'),
      mockScramVerifier(b, 'ep-a', 'ann'),
    ]
    for (const other of others) expect(other.salt).not.toBe(salt)
    expect(Buffer.from(salt, 'base64')).toHaveLength(16)
  })
})

describe('the server’s half', () => {
  // RFC 7677, section 3: the example exchange, with a nonce and salt of its own.
  test('accepts the proof of RFC 7677’s example and answers with its server signature', () => {
    const salt = 'W22ZaJ0SNY7soEsUEjb6gQ=='
    const verifier = makeVerifier('pencil', Buffer.from(salt, 'base64'))
    const clientFirst = decodeClientFirst(initial('n,,n=user,r=rOprNGfwEbeRWgbNEkqO'), false)
    const first = serverFirst(clientFirst, verifier, '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0')
    expect(first.text).toBe('r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096')
    const body = Buffer.from(
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    )
    const outcome = checkClientProof({ body, clientFirst, serverFirst: first, verifier, channelBinding: undefined })
    expect(outcome).toMatchObject({ isAccepted: true, serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=' })
    expect(outcome.isAccepted && outcome.clientKey.equals(verifier.clientKey)).toBe(true)
  })

  test('a wrong password is an outcome, not an exception', () => {
    const clientFirst = decodeClientFirst(initial('n,,n=,r=abc'), false)
    const verifier = makeVerifier('secret')
    const first = serverFirst(clientFirst, verifier, 'xyz')
    const client = new ScramKeyClient({ ...verifier }, makeVerifier('other').clientKey, 'abc')
    const body = client.final(first.text)
    const outcome = checkClientProof({
      body: body ?? Buffer.alloc(0),
      clientFirst,
      serverFirst: first,
      verifier,
      channelBinding: undefined,
    })
    expect(outcome).toEqual({ isAccepted: false })
  })

  test.each([
    ['PLUS without offer', initial('p=tls-server-end-point,,n=,r=a', 'SCRAM-SHA-256-PLUS'), false, '08P01'],
    ['binding flag without PLUS', initial('p=tls-server-end-point,,n=,r=a'), true, '08P01'],
    ['PLUS without binding flag', initial('n,,n=,r=a', 'SCRAM-SHA-256-PLUS'), true, '08P01'],
    ['another binding type', initial('p=tls-unique,,n=,r=a', 'SCRAM-SHA-256-PLUS'), true, '08P01'],
    ['a client that thinks PLUS was not offered', initial('y,,n=,r=a'), true, '28000'],
    ['the same where PLUS was not offered', initial('y,,n=,r=a'), false, 'accepted'],
    ['an authorization identity', initial('n,a=root,n=,r=a'), false, '0A000'],
    ['an unknown mechanism', initial('n,,n=,r=a', 'PLAIN'), false, '08P01'],
    ['a wrong length', Buffer.from('SCRAM-SHA-256\0\0\0\0\x63n,,n=,r=a'), false, '08P01'],
    ['no nonce', initial('n,,n=,r='), false, '08P01'],
    ['an empty body', Buffer.alloc(0), false, '08P01'],
  ])('first message with %s', (_what, body, canBind, expected) => {
    expect(sqlstate(() => decodeClientFirst(body, canBind))).toBe(expected)
  })

  test('a proof bound to another certificate is refused', () => {
    const clientFirst = decodeClientFirst(initial('p=tls-server-end-point,,n=,r=a', 'SCRAM-SHA-256-PLUS'), true)
    const verifier = makeVerifier('secret')
    const first = serverFirst(clientFirst, verifier, 'b')
    const check = (binding: string) => {
      const c = Buffer.concat([Buffer.from('p=tls-server-end-point,,'), Buffer.from(binding)]).toString('base64')
      const withoutProof = `c=${c},r=ab`
      const signature = hmac(verifier.storedKey, `${clientFirst.bare},${first.text},${withoutProof}`)
      const proof = Buffer.from(verifier.clientKey.map((byte, i) => byte ^ signature[i]!)).toString('base64')
      return checkClientProof({
        body: Buffer.from(`${withoutProof},p=${proof}`),
        clientFirst,
        serverFirst: first,
        verifier,
        channelBinding: Buffer.from('our certificate'),
      })
    }
    expect(check('our certificate').isAccepted).toBe(true)
    expect(sqlstate(() => check('another'))).toBe('28000')
  })

  test.each(['', 'c=biws,r=other,p=AAAA', 'c=biws,r=ab', 'c=biws,r=ab,p=AAAA', 'c=eSws,r=ab,p=AAAA', 'x'.repeat(1000)])(
    'last message %j breaks the protocol',
    (text) => {
      const clientFirst = decodeClientFirst(initial('n,,n=,r=a'), false)
      const verifier = makeVerifier('secret')
      const first = serverFirst(clientFirst, verifier, 'b')
      const run = () =>
        checkClientProof({
          body: Buffer.from(text),
          clientFirst,
          serverFirst: first,
          verifier,
          channelBinding: undefined,
        })
      expect(sqlstate(run)).toBe('08P01')
    },
  )
})

describe('the client’s half', () => {
  test('a compute with another verifier is noticed before a proof is made', () => {
    const verifier = makeVerifier('secret')
    const client = new ScramKeyClient(verifier, verifier.clientKey, 'abc')
    expect(client.final(`r=abcdef,s=${makeVerifier('secret').salt},i=4096`)).toBeUndefined()
  })

  test('a server that does not repeat our nonce, or proves nothing, is refused', () => {
    const verifier = makeVerifier('secret')
    const client = new ScramKeyClient(verifier, verifier.clientKey, 'abc')
    expect(sqlstate(() => client.final(`r=abc,s=${verifier.salt},i=4096`))).toBe('08006')
    expect(sqlstate(() => client.final(`r=xyzdef,s=${verifier.salt},i=4096`))).toBe('08006')
    client.final(`r=abcdef,s=${verifier.salt},i=4096`)
    expect(client.isServerGenuine(`v=${randomBytes(32).toString('base64')}`)).toBe(false)
    expect(client.isServerGenuine('e=other-error')).toBe(false)
  })
})
