import * as http from 'node:http'
import { StorageError, type StorageErrorCode } from '../base/errors.ts'
import { statusByCode } from './http-server.ts'
import { abortedError, systemError } from './node-errors.ts'

/** Bytes of a reply to a JSON call. */
const REPLY_BYTES_MAX = 64 * 1024 * 1024

export interface HttpCallOptions {
  readonly method?: string
  /** Sent as JSON. */
  readonly body?: unknown
  readonly timeoutMs: number
  readonly token?: string
  readonly signal?: AbortSignal
}

/**
 * Calls `url` and returns the JSON of the reply (undefined for 204). A failure reported by openHttpServer comes back as
 * the StorageError it was; no answer in time, or none at all, is `unavailable`.
 */
export async function callJson(url: string, options: HttpCallOptions): Promise<unknown> {
  const bytes = await callBytes(url, options)
  if (bytes.length === 0) return undefined
  return parseJson(bytes, url)
}

/** As callJson, for replies of any content type. */
export async function callBytes(url: string, options: HttpCallOptions): Promise<Uint8Array> {
  const { status, bytes } = await exchange(url, options)
  if (status < 300) return bytes
  throw replyError(url, status, bytes)
}

function exchange(url: string, options: HttpCallOptions): Promise<{ status: number; bytes: Uint8Array }> {
  const { signal, timeoutMs } = options
  const payload = options.body === undefined ? undefined : JSON.stringify(options.body)
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortedError('http call'))
    const fail = (error: StorageError) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      request.destroy()
      reject(error)
    }
    const onAbort = () => fail(abortedError('http call'))
    const request = http.request(
      url,
      {
        method: options.method ?? (payload === undefined ? 'GET' : 'POST'),
        headers: {
          ...(payload === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
          ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        },
      },
      (response) => {
        const chunks: Buffer[] = []
        let sizeBytes = 0
        response.on('data', (chunk: Buffer) => {
          sizeBytes += chunk.length
          if (sizeBytes > REPLY_BYTES_MAX) return fail(new StorageError('invalid-input', 'reply is too large', { url }))
          chunks.push(chunk)
        })
        response.on('error', (error) => fail(unavailable(error, url)))
        response.on('end', () => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', onAbort)
          resolve({ status: response.statusCode ?? 0, bytes: Buffer.concat(chunks) })
        })
      },
    )
    const timer = setTimeout(
      () => fail(new StorageError('unavailable', 'no answer in time', { url, timeoutMs })),
      timeoutMs,
    )
    signal?.addEventListener('abort', onAbort, { once: true })
    request.on('error', (error) => fail(unavailable(error, url)))
    request.end(payload)
  })
}

function unavailable(error: unknown, url: string): StorageError {
  return new StorageError('unavailable', systemError('http call', error).message, { url }, { cause: error })
}

function replyError(url: string, status: number, bytes: Uint8Array): StorageError {
  const body = bytes.length === 0 ? undefined : tryParse(bytes)
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined
  const message =
    typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
      ? error.message
      : `http status ${status} from ${url}`
  const named = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  const code = isCode(named) ? named : codeOfStatus(status)
  return new StorageError(code, message)
}

function isCode(value: unknown): value is StorageErrorCode {
  return typeof value === 'string' && Object.hasOwn(statusByCode, value)
}

function codeOfStatus(status: number): StorageErrorCode {
  for (const [code, candidate] of Object.entries(statusByCode)) if (candidate === status && isCode(code)) return code
  return status >= 500 ? 'unavailable' : 'invalid-input'
}

function tryParse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}

function parseJson(bytes: Uint8Array, url: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    throw new StorageError('unavailable', 'reply is not json', { url }, { cause: error })
  }
}
