import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(pbkdf2)
/** As Postgres makes them (SCRAM_SHA_256_DEFAULT_ITERATIONS, src/include/common/scram-common.h, PG 18). */
const ITERATIONS = 4096
const SALT_BYTES = 16
const pattern = /^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)$/

/**
 * The verifier Postgres keeps instead of a password: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`.
 * SASLprep is not applied: our passwords are ASCII, for which it changes nothing.
 */
export async function makeScramVerifier(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const salted = await derive(password, salt, ITERATIONS, 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  const storedKey = createHash('sha256').update(clientKey).digest('base64')
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64')
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`
}

export function isScramVerifier(text: string): boolean {
  return pattern.test(text)
}

export async function scramVerifierMatches(verifier: string, password: string): Promise<boolean> {
  const match = pattern.exec(verifier)
  if (!match) return false
  const salted = await derive(password, Buffer.from(match[2]!, 'base64'), Number(match[1]), 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  const stored = Buffer.from(match[3]!, 'base64')
  const computed = createHash('sha256').update(clientKey).digest()
  return stored.length === computed.length && timingSafeEqual(stored, computed)
}
