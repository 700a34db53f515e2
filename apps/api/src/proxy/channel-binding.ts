import { createHash } from 'node:crypto'
import { DER, derObjectId, readDer } from './der.ts'

/**
 * tls-server-end-point (RFC 5929, section 4.1): the hash of the certificate, made with the hash function of its own
 * signature; MD5 and SHA-1 count as SHA-256. Undefined when the signature has no single hash function (Ed25519): then
 * SCRAM-SHA-256-PLUS cannot be offered, as in Postgres (be_tls_get_certificate_hash, be-secure-openssl.c, PG 18).
 */
export function channelBindingData(certificate: Buffer): Buffer | undefined {
  const hash = signatureHash(certificate)
  return hash === undefined ? undefined : createHash(hash).update(certificate).digest()
}

const HASH_BY_SIGNATURE = new Map(
  Object.entries({
    '1.2.840.113549.1.1.4': 'sha256', // MD5 with RSA
    '1.2.840.113549.1.1.5': 'sha256', // SHA-1 with RSA
    '1.2.840.113549.1.1.11': 'sha256',
    '1.2.840.113549.1.1.12': 'sha384',
    '1.2.840.113549.1.1.13': 'sha512',
    '1.2.840.113549.1.1.14': 'sha224',
    '1.2.840.10045.4.1': 'sha256', // ECDSA with SHA-1
    '1.2.840.10045.4.3.1': 'sha224',
    '1.2.840.10045.4.3.2': 'sha256',
    '1.2.840.10045.4.3.3': 'sha384',
    '1.2.840.10045.4.3.4': 'sha512',
  }).map(([id, hash]) => [derObjectId(id).toString('hex'), hash]),
)

const RSA_PSS = derObjectId('1.2.840.113549.1.1.10').toString('hex')

const HASH_BY_ID = new Map(
  Object.entries({
    '1.3.14.3.2.26': 'sha256', // SHA-1
    '2.16.840.1.101.3.4.2.1': 'sha256',
    '2.16.840.1.101.3.4.2.2': 'sha384',
    '2.16.840.1.101.3.4.2.3': 'sha512',
    '2.16.840.1.101.3.4.2.4': 'sha224',
  }).map(([id, hash]) => [derObjectId(id).toString('hex'), hash]),
)

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OID, parameters }, signature } */
function signatureHash(certificate: Buffer): string | undefined {
  const outer = readDer(certificate)
  const tbs = outer && readDer(outer.body)
  const algorithm = tbs && readDer(tbs.rest)
  const id = algorithm && readDer(algorithm.body)
  if (id?.tag !== DER.objectId) return undefined
  const idHex = derObjectIdHex(id.body)
  return idHex === RSA_PSS ? pssHash(id.rest) : HASH_BY_SIGNATURE.get(idHex)
}

/** RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0] SEQUENCE { OID } DEFAULT sha1, … } (RFC 4055). */
function pssHash(parameters: Buffer): string | undefined {
  const sequence = readDer(parameters)
  const tagged = sequence && readDer(sequence.body)
  if (tagged?.tag !== 0xa0) return 'sha256'
  const algorithm = readDer(tagged.body)
  const id = algorithm && readDer(algorithm.body)
  return id?.tag === DER.objectId ? HASH_BY_ID.get(derObjectIdHex(id.body)) : undefined
}

function derObjectIdHex(body: Buffer): string {
  return Buffer.concat([Buffer.from([DER.objectId, body.length]), body]).toString('hex')
}
