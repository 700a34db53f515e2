import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'
import { DER, der, derObjectId } from './der.ts'

const ECDSA_SHA256 = der(DER.sequence, derObjectId('1.2.840.10045.4.3.2'))
const VERSION_3 = der(0xa0, der(DER.integer, Buffer.from([2])))

/**
 * A certificate that signs itself (RFC 5280): ECDSA on P-256 with SHA-256, so that a handshake costs a tenth of what RSA
 * takes. It may sign nothing else but is a CA, so that clients can name it as their root (sslmode=verify-full).
 */
export function makeSelfSignedCertificate(options: {
  /** Host names, also with a leading "*.", and IP addresses. The first is the common name. */
  readonly names: readonly string[]
  readonly validFromMs: number
  readonly validDays: number
}): { certificatePem: string; keyPem: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const publicKeyInfo = publicKey.export({ type: 'spki', format: 'der' })
  const name = der(
    DER.sequence,
    der(
      DER.set,
      der(
        DER.sequence,
        derObjectId('2.5.4.3'),
        der(DER.utf8String, Buffer.from((options.names[0] ?? 'localhost').slice(0, 64))),
      ),
    ),
  )
  const serial = randomBytes(16)
  serial[0] = (serial[0]! & 0x3f) | 0x40
  const toBeSigned = der(
    DER.sequence,
    VERSION_3,
    der(DER.integer, serial),
    ECDSA_SHA256,
    name,
    der(DER.sequence, time(options.validFromMs), time(options.validFromMs + options.validDays * 86_400_000)),
    name,
    publicKeyInfo,
    der(0xa3, der(DER.sequence, ...extensions(options.names, publicKeyInfo))),
  )
  const signature = sign('sha256', toBeSigned, privateKey)
  const certificate = der(DER.sequence, toBeSigned, ECDSA_SHA256, der(DER.bitString, Buffer.from([0]), signature))
  return {
    certificatePem: pem('CERTIFICATE', certificate),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function extensions(names: readonly string[], publicKeyInfo: Buffer): Buffer[] {
  const critical = der(DER.boolean, Buffer.from([0xff]))
  const extension = (id: string, isCritical: boolean, value: Buffer) =>
    der(DER.sequence, derObjectId(id), ...(isCritical ? [critical] : []), der(DER.octetString, value))
  const alternatives = names.map((name) =>
    isIP(name) === 0 ? der(0x82, Buffer.from(name, 'latin1')) : der(0x87, addressBytes(name)),
  )
  const keyId = createHash('sha1').update(publicKeyInfo).digest()
  return [
    extension('2.5.29.14', false, der(DER.octetString, keyId)),
    extension('2.5.29.17', false, der(DER.sequence, ...alternatives)),
    extension('2.5.29.19', true, der(DER.sequence, der(DER.boolean, Buffer.from([0xff])))),
    // digitalSignature, keyCertSign
    extension('2.5.29.15', true, der(DER.bitString, Buffer.from([2, 0x84]))),
    // serverAuth
    extension('2.5.29.37', false, der(DER.sequence, derObjectId('1.3.6.1.5.5.7.3.1'))),
  ]
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))
  const [left, right] = [groups(head), tail === undefined ? [] : groups(tail)]
  const all = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right]
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}

/** UTCTime up to 2049, GeneralizedTime from 2050 (RFC 5280, 4.1.2.5). */
function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
  return digits < '2050'
    ? der(DER.utcTime, Buffer.from(digits.slice(2)))
    : der(DER.generalizedTime, Buffer.from(digits))
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
