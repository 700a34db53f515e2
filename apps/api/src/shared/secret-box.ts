import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import * as path from 'node:path'

const NONCE_BYTES = 12
const TAG_BYTES = 16
const VERSION = 'v1'

/** Encrypts secrets that must be shown again (AES-256-GCM). The text is `v1.<base64url of nonce, tag, ciphertext>`. */
export class SecretBox {
  readonly #key: Buffer

  constructor(key: Buffer) {
    if (key.length !== 32) throw new Error('the key of the secret box must have 32 bytes')
    this.#key = key
  }

  /** `context` must be the same when opening: a sealed text moved to another row does not open there. */
  seal(secret: string, context: string): string {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(context))
    const body = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
    return `${VERSION}.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`
  }

  /** Throws when the text is damaged, or was sealed under another key or context. */
  open(sealed: string, context: string): string {
    const [version, text] = sealed.split('.')
    const bytes = Buffer.from(text ?? '', 'base64url')
    if (version !== VERSION || bytes.length < NONCE_BYTES + TAG_BYTES) throw new Error('not a sealed secret')
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(context))
      .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
    const body = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES))
    return Buffer.concat([body, decipher.final()]).toString('utf8')
  }
}

/** Reads a secret of `bytes` bytes from a file that only its owner may read, or makes it. Throws when others may read it. */
export function readOrMakeSecret(folder: string, name: string, bytes = 32): Buffer {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = path.join(folder, name)
  if (!fs.existsSync(file)) {
    const unfinished = `${file}.${process.pid}`
    fs.writeFileSync(unfinished, `${randomBytes(bytes).toString('hex')}\n`, { mode: 0o600 })
    fs.renameSync(unfinished, file)
  }
  if ((fs.statSync(file).mode & 0o077) !== 0) throw new Error(`secret file may be read by others: chmod 600 ${file}`)
  const secret = Buffer.from(fs.readFileSync(file, 'utf8').trim(), 'hex')
  if (secret.length !== bytes) throw new Error(`secret file is damaged: ${file}`)
  return secret
}
