import * as fsp from 'node:fs/promises'
import * as path from 'node:path'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { errorText, StorageError } from '../base/errors.ts'
import { systemError } from '../io/node-errors.ts'
import { checkObjectKey, checkObjectPrefix, checkRange } from './object-key.ts'
import type { ByteRange, ObjectInfo, ObjectStore } from './object-store.ts'
import type { S3Config } from './object-store-config.ts'

/** Objects above this go up in parts; S3's own bound for a single PUT is 5 GiB. */
const SINGLE_PUT_BYTES_MAX = 16 * 1024 * 1024
/** S3 takes parts of 5 MiB and more, at most 10,000: objects of up to 80 GiB. */
const PART_BYTES = 8 * 1024 * 1024
/** 4 parts x 8 MiB = 32 MiB of buffers for one transfer. */
const PART_CONCURRENCY_MAX = 4
/** S3 lists at most this many keys per call, and deletes as many. */
const KEYS_PER_CALL_MAX = 1000
const CONNECT_TIMEOUT_MS = 5000

let temporarySerial = 0

/** Objects in an S3 bucket. Makes one attempt per call: retries are the decorator's (retrying-object-store.ts). */
export function openS3ObjectStore(config: S3Config): ObjectStore {
  const client = new S3Client({
    region: config.region,
    maxAttempts: 1,
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint, forcePathStyle: true }),
    ...(config.accessKeyId !== undefined && config.secretAccessKey !== undefined
      ? { credentials: { accessKeyId: config.accessKeyId, secretAccessKey: config.secretAccessKey } }
      : {}),
    // Our formats carry their own checksums, and not every S3-compatible service knows the newer ones.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: config.requestTimeoutMs,
      throwOnRequestTimeout: true,
      // The one above ends with the answer's headers; this one watches the bytes behind them.
      socketTimeout: config.requestTimeoutMs,
      httpAgent: { maxSockets: 64 },
      httpsAgent: { maxSockets: 64 },
    },
  })
  const Bucket = config.bucket
  const prefixText = config.prefix === '' ? '' : `${config.prefix}/`

  const nameOf = (key: string) => {
    checkObjectKey(key)
    return prefixText + key
  }

  async function call<T>(what: string, key: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      throw s3Error(what, error, key)
    }
  }

  const sending = (signal: AbortSignal | undefined) => (signal ? { abortSignal: signal } : {})

  async function getPart(
    key: string,
    range: ByteRange | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const Range = range && `bytes=${range.start}-${range.end - 1}`
    const reply = await client.send(
      new GetObjectCommand({ Bucket, Key: nameOf(key), ...(Range ? { Range } : {}) }),
      sending(signal),
    )
    if (range && !reply.ContentRange?.startsWith(`bytes ${range.start}-`)) {
      throw new StorageError('unavailable', 'get object: the server answered another range', {
        key,
        range: Range,
        contentRange: reply.ContentRange,
      })
    }
    return (await reply.Body?.transformToByteArray()) ?? new Uint8Array(0)
  }

  async function putMultipart(
    key: string,
    sizeBytes: number,
    readPart: (start: number, end: number) => Promise<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const Key = nameOf(key)
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }), sending(signal))
    try {
      const partCount = Math.ceil(sizeBytes / PART_BYTES)
      const Parts = await mapConcurrently(partCount, PART_CONCURRENCY_MAX, async (index) => {
        const start = index * PART_BYTES
        const Body = await readPart(start, Math.min(start + PART_BYTES, sizeBytes))
        const PartNumber = index + 1
        const { ETag } = await client.send(
          new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }),
          sending(signal),
        )
        return { PartNumber, ETag }
      })
      await client.send(
        new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
        sending(signal),
      )
    } catch (error) {
      // Best effort: a bucket lifecycle rule collects what this leaves behind.
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(() => undefined)
      throw error
    }
  }

  async function put(key: string, bytes: Uint8Array, options: { signal?: AbortSignal } = {}): Promise<void> {
    const Key = nameOf(key)
    await call('put object', key, async () => {
      if (bytes.length > SINGLE_PUT_BYTES_MAX) {
        await putMultipart(key, bytes.length, async (start, end) => bytes.subarray(start, end), options.signal)
      } else {
        await client.send(new PutObjectCommand({ Bucket, Key, Body: bytes }), sending(options.signal))
      }
    })
  }

  async function head(key: string, options: { signal?: AbortSignal } = {}): Promise<ObjectInfo | undefined> {
    const Key = nameOf(key)
    try {
      const reply = await client.send(new HeadObjectCommand({ Bucket, Key }), sending(options.signal))
      return { key, sizeBytes: reply.ContentLength ?? 0 }
    } catch (error) {
      const wrapped = s3Error('head object', error, key)
      if (wrapped.code === 'not-found') return undefined
      throw wrapped
    }
  }

  return {
    head,
    put,

    get(key: string, options: { range?: ByteRange; signal?: AbortSignal } = {}): Promise<Uint8Array> {
      return call('get object', key, () => {
        if (options.range) checkRange(key, options.range)
        return getPart(key, options.range, options.signal)
      })
    },

    async putFile(key: string, source: string, options: { signal?: AbortSignal } = {}): Promise<void> {
      nameOf(key)
      const handle = await fsp.open(source, 'r').catch((error: unknown) => {
        throw systemError('read file to upload', error, { path: source })
      })
      try {
        const { size } = await handle.stat()
        const readPart = async (start: number, end: number) => {
          const part = new Uint8Array(end - start)
          const { bytesRead } = await handle.read(part, 0, part.length, start)
          if (bytesRead !== part.length)
            throw new StorageError('conflict', 'file changed while uploaded', { path: source })
          return part
        }
        if (size <= SINGLE_PUT_BYTES_MAX)
          await put(key, size === 0 ? new Uint8Array(0) : await readPart(0, size), options)
        else await call('put object', key, () => putMultipart(key, size, readPart, options.signal))
      } finally {
        await handle.close()
      }
    },

    async getFile(key: string, target: string, options: { signal?: AbortSignal } = {}): Promise<void> {
      const info = await head(key, options)
      if (!info) throw new StorageError('not-found', 'no such object', { key })
      const temporaryPath = `${target}.${process.pid}-${++temporarySerial}.tmp`
      await call('get object', key, async () => {
        try {
          const handle = await fsp.open(temporaryPath, 'wx')
          try {
            await mapConcurrently(Math.ceil(info.sizeBytes / PART_BYTES), PART_CONCURRENCY_MAX, async (index) => {
              const start = index * PART_BYTES
              const end = Math.min(start + PART_BYTES, info.sizeBytes)
              const part = await getPart(key, { start, end }, options.signal)
              if (part.length !== end - start)
                throw new StorageError('unavailable', 'short answer to a ranged get', { key })
              await handle.write(part, 0, part.length, start)
            })
            await handle.datasync()
          } finally {
            await handle.close()
          }
          await fsp.rename(temporaryPath, target)
          const folder = await fsp.open(path.dirname(target), 'r')
          try {
            await folder.sync()
          } finally {
            await folder.close()
          }
        } catch (error) {
          await fsp.rm(temporaryPath, { force: true })
          throw error
        }
      })
    },

    async putIfAbsent(
      key: string,
      bytes: Uint8Array,
      options: { signal?: AbortSignal } = {},
    ): Promise<'created' | 'exists'> {
      const Key = nameOf(key)
      try {
        await client.send(new PutObjectCommand({ Bucket, Key, Body: bytes, IfNoneMatch: '*' }), sending(options.signal))
        return 'created'
      } catch (error) {
        if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412) return 'exists'
        throw s3Error('put object if absent', error, key)
      }
    },

    async list(prefix, options = {}): Promise<{ objects: ObjectInfo[]; truncated: boolean }> {
      checkObjectPrefix(prefix)
      const { limit = KEYS_PER_CALL_MAX, signal } = options
      const objects: ObjectInfo[] = []
      let from: { StartAfter?: string; ContinuationToken?: string } =
        options.startAfter === undefined ? {} : { StartAfter: prefixText + options.startAfter }
      return call('list objects', prefix, async () => {
        for (;;) {
          const reply = await client.send(
            new ListObjectsV2Command({
              Bucket,
              Prefix: prefixText + prefix,
              MaxKeys: Math.min(KEYS_PER_CALL_MAX, limit - objects.length),
              ...from,
            }),
            sending(signal),
          )
          for (const { Key, Size } of reply.Contents ?? []) {
            if (Key !== undefined) objects.push({ key: Key.slice(prefixText.length), sizeBytes: Size ?? 0 })
          }
          const isTruncated = reply.IsTruncated ?? false
          if (!isTruncated || objects.length >= limit) return { objects, truncated: isTruncated }
          // A page of deleted keys alone is empty and not the last.
          const ContinuationToken = reply.NextContinuationToken
          if (ContinuationToken === undefined) {
            throw new StorageError('unavailable', 'list objects: the server does not say where to go on', { prefix })
          }
          from = { ContinuationToken }
        }
      })
    },

    async delete(keys: readonly string[], options: { signal?: AbortSignal } = {}): Promise<void> {
      const names = keys.map(nameOf)
      for (let start = 0; start < names.length; start += KEYS_PER_CALL_MAX) {
        const batch = names.slice(start, start + KEYS_PER_CALL_MAX)
        await call('delete objects', batch[0] ?? '', async () => {
          const reply = await client.send(
            new DeleteObjectsCommand({ Bucket, Delete: { Objects: batch.map((Key) => ({ Key })), Quiet: true } }),
            sending(options.signal),
          )
          const failed = (reply.Errors ?? []).filter((failure) => failure.Code !== 'NoSuchKey')[0]
          if (failed) {
            throw new StorageError('unavailable', 'object was not deleted', { key: failed.Key, error: failed.Code })
          }
        })
      }
    },
  }
}

/** Results of `run(0) … run(count - 1)`, at most `concurrencyMax` at a time. The first failure ends the rest. */
async function mapConcurrently<T>(
  count: number,
  concurrencyMax: number,
  run: (index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = []
  let next = 0
  let hasFailed = false
  const lane = async () => {
    while (next < count && !hasFailed) {
      const index = next++
      try {
        results[index] = await run(index)
      } catch (error) {
        hasFailed = true
        throw error
      }
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(count, concurrencyMax) }, lane))
  for (const outcome of lanes) if (outcome.status === 'rejected') throw outcome.reason
  return results
}

function s3Error(what: string, error: unknown, key: string): StorageError {
  if (error instanceof StorageError) return error
  // The SDK's errors drag the whole exchange along, signed headers included: none of that may reach a log.
  const cause = { cause: new Error(error instanceof Error ? `${error.name}: ${error.message}` : String(error)) }
  if (error instanceof Error && error.name === 'AbortError')
    return new StorageError('aborted', `${what}: aborted`, { key }, cause)
  if (!(error instanceof S3ServiceException))
    return new StorageError('unavailable', `${what}: ${errorText(error)}`, { key }, cause)
  const status = error.$metadata.httpStatusCode
  const fields = { key, status, error: error.name }
  // A missing bucket is a matter of configuration; taking it for a missing object would be taken for an empty store.
  if (error.name === 'NoSuchBucket') return new StorageError('unavailable', `${what}: no such bucket`, fields, cause)
  if (status === 404) return new StorageError('not-found', `${what}: no such object`, { key }, cause)
  if (status === 416) return new StorageError('invalid-input', `${what}: range starts past the end`, { key }, cause)
  if (status === 507) return new StorageError('exhausted', `${what}: no space left in the object store`, fields, cause)
  return new StorageError('unavailable', `${what}: ${error.message || error.name}`, fields, cause)
}
