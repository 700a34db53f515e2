import { createPrivateKey, X509Certificate } from 'node:crypto'
import * as fs from 'node:fs'
import * as path from 'node:path'
import { createSecureContext, type SecureContext } from 'node:tls'
import { channelBindingData } from './channel-binding.ts'
import { makeSelfSignedCertificate } from './self-signed-certificate.ts'

export interface TlsMaterial {
  readonly context: SecureContext
  /** For SCRAM-SHA-256-PLUS; undefined when the certificate's signature allows no binding. */
  readonly channelBinding: Buffer | undefined
  readonly certificateFile: string
  readonly validToMs: number
}

const SELF_SIGNED_DAYS = 3650

/** A given certificate and key (PEM), or our own, made at the first start and kept in `folder`. Throws with the file's name. */
export function loadTlsMaterial(options: {
  readonly given: { readonly certFile: string; readonly keyFile: string } | undefined
  readonly folder: string
  readonly names: readonly string[]
  readonly nowMs: number
}): TlsMaterial {
  const files = options.given ?? ownFiles(options)
  const cert = readFile(files.certFile)
  const key = readFile(files.keyFile)
  const parsed = parse(files.certFile, () => new X509Certificate(cert))
  const privateKey = parse(files.keyFile, () => createPrivateKey(key))
  if (!parsed.checkPrivateKey(privateKey))
    throw new Error(`the TLS key ${files.keyFile} does not belong to the certificate ${files.certFile}`)
  return {
    context: parse(files.certFile, () => createSecureContext({ cert, key, minVersion: 'TLSv1.2' })),
    channelBinding: channelBindingData(parsed.raw),
    certificateFile: files.certFile,
    validToMs: Date.parse(parsed.validTo),
  }
}

function ownFiles(options: { folder: string; names: readonly string[]; nowMs: number }) {
  const certFile = path.join(options.folder, 'proxy.crt')
  const keyFile = path.join(options.folder, 'proxy.key')
  if (!fs.existsSync(certFile) || !fs.existsSync(keyFile)) {
    const made = makeSelfSignedCertificate({
      names: options.names,
      // Clocks of clients may be behind.
      validFromMs: options.nowMs - 86_400_000,
      validDays: SELF_SIGNED_DAYS,
    })
    fs.mkdirSync(options.folder, { recursive: true, mode: 0o700 })
    writeFileAtomic(keyFile, made.keyPem, 0o600)
    writeFileAtomic(certFile, made.certificatePem, 0o644)
  }
  return { certFile, keyFile }
}

function writeFileAtomic(file: string, text: string, mode: number): void {
  const fresh = `${file}.${process.pid}.new`
  fs.writeFileSync(fresh, text, { mode, flush: true })
  fs.renameSync(fresh, file)
}

function readFile(file: string): Buffer {
  try {
    return fs.readFileSync(file)
  } catch (cause) {
    throw new Error(`cannot read the TLS file ${file}`, { cause })
  }
}

function parse<Value>(file: string, work: () => Value): Value {
  try {
    return work()
  } catch (cause) {
    throw new Error(`the TLS file ${file} is not usable: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}
