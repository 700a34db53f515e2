import * as fs from 'node:fs'
import * as net from 'node:net'
import * as os from 'node:os'
import * as path from 'node:path'
// @ts-expect-error the package has no types
import S3rver from 's3rver'
import { expect, test } from 'vitest'
import { createBucket } from '../../test/s3-bucket.ts'
import { SYNC_STEP_BYTES } from '../io/disk.ts'
import { silentLog } from '../io/log.ts'
import { noMetrics } from '../io/metrics.ts'
import { nodeClock } from '../io/node-clock.ts'
import { nodeDisk } from '../io/node-disk.ts'
import { nodeRandom } from '../io/node-random.ts'
import { openLocalObjectStore } from './local-object-store.ts'
import { openMemoryObjectStore } from './memory-object-store.ts'
import { describeObjectStore } from './object-store.contract.ts'
import { objectStoreConfig, type S3Config } from './object-store-config.ts'
import { openObjectStore } from './open-object-store.ts'
import { retryObjectStore } from './retrying-object-store.ts'
import { openS3ObjectStore } from './s3-object-store.ts'
import { makeUnreliable } from './unreliable-object-store.ts'

function temporaryFolder(): { folder: string; remove: () => void } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-objects-'))
  return { folder, remove: () => fs.rmSync(folder, { recursive: true, force: true }) }
}

describeObjectStore({
  name: 'memory',
  open: async () => ({ store: openMemoryObjectStore({ disk: nodeDisk }), close: async () => undefined }),
})

describeObjectStore({
  name: 'local folder',
  open: async () => {
    const { folder, remove } = temporaryFolder()
    return { store: await openLocalObjectStore({ folder }), close: async () => remove() }
  },
})

test('objects of several steps come back byte by byte, from memory and from files', async () => {
  const { folder, remove } = temporaryFolder()
  try {
    const store = await openLocalObjectStore({ folder: path.join(folder, 'objects') })
    for (const sizeBytes of [0, SYNC_STEP_BYTES, 2 * SYNC_STEP_BYTES + 3]) {
      const bytes = new Uint8Array(sizeBytes)
      for (let i = 0; i < sizeBytes; i++) bytes[i] = (i * 31 + (i >> 16)) & 255
      const source = path.join(folder, 'source')
      fs.writeFileSync(source, bytes)
      await store.put('put', bytes)
      await store.putFile('file', source)
      await store.getFile('file', path.join(folder, 'copy'))
      expect(Buffer.compare(await store.get('put'), bytes)).toBe(0)
      expect(Buffer.compare(await store.get('file'), bytes)).toBe(0)
      expect(Buffer.compare(fs.readFileSync(path.join(folder, 'copy')), bytes)).toBe(0)
    }
  } finally {
    remove()
  }
})

describeObjectStore({
  name: 'S3 (s3rver)',
  open: async () => {
    const { folder, remove } = temporaryFolder()
    const server = new S3rver({ port: 0, address: '127.0.0.1', directory: folder, silent: true })
    const { port } = await server.run()
    const config = objectStoreConfig.parse({
      kind: 's3',
      bucket: 'tributary',
      prefix: 'below/here',
      endpoint: `http://127.0.0.1:${port}`,
      accessKeyId: 'S3RVER',
      secretAccessKey: 'S3RVER',
    })
    if (config.kind !== 's3') throw new Error('not an s3 configuration')
    await createBucket(config)
    return {
      store: openS3ObjectStore(config),
      close: async () => {
        await server.close()
        remove()
      },
    }
  },
  lacks: {
    putIfAbsent: 's3rver ignores If-None-Match',
    listing: 's3rver answers 500, or out of byte order',
    atomicPut: 's3rver mixes the bytes of writers of one key',
  },
})

describeObjectStore({
  name: 'memory, failing before and after the effect, with retries around it',
  open: async () => {
    const unreliability = { failBeforePercent: 15, failAfterPercent: 15 }
    const flaky = makeUnreliable(openMemoryObjectStore({ disk: nodeDisk }), nodeRandom, unreliability)
    const env = { clock: nodeClock, random: nodeRandom, log: silentLog }
    // 0.3 ** 30: a suite of a few thousand calls never sees the bound.
    const store = retryObjectStore(flaky, env, { attemptsMax: 30, delayMsFirst: 0, delayMsMax: 0 })
    return { store, close: async () => undefined }
  },
})

test('retries end at their bound with the last error, and never repeat what cannot succeed', async () => {
  let calls = 0
  const inner = openMemoryObjectStore({ disk: nodeDisk })
  const env = { clock: nodeClock, random: nodeRandom, log: silentLog }
  const counting = {
    ...makeUnreliable(inner, nodeRandom, { failBeforePercent: 100, failAfterPercent: 0 }),
    head: (key: string) => {
      calls++
      return inner.head(key)
    },
    get: () => {
      calls++
      return makeUnreliable(inner, nodeRandom, { failBeforePercent: 100, failAfterPercent: 0 }).get('a')
    },
  }
  const store = retryObjectStore(counting, env, { attemptsMax: 3, delayMsFirst: 1, delayMsMax: 2 })
  await expect(store.get('a')).rejects.toMatchObject({ code: 'unavailable' })
  expect(calls).toBe(3)
  calls = 0
  await expect(store.head('../a')).rejects.toMatchObject({ code: 'invalid-input' })
  expect(calls).toBe(1)
})

test('a put-if-absent whose first attempt took effect and then failed is still created', async () => {
  const inner = openMemoryObjectStore({ disk: nodeDisk })
  const unreliability = { failBeforePercent: 0, failAfterPercent: 100 }
  const flaky = makeUnreliable(inner, nodeRandom, unreliability)
  const once = {
    ...flaky,
    putIfAbsent: async (key: string, bytes: Uint8Array) => {
      try {
        return await flaky.putIfAbsent(key, bytes)
      } finally {
        unreliability.failAfterPercent = 0
      }
    },
  }
  const store = retryObjectStore(once, { clock: nodeClock, random: nodeRandom, log: silentLog })
  expect(await store.putIfAbsent('a', Uint8Array.of(1))).toBe('created')
  unreliability.failAfterPercent = 100
  expect(await store.putIfAbsent('a', Uint8Array.of(2))).toBe('exists')
})

/** Of a client that is impatient. */
function configOf(server: net.Server): S3Config {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    kind: 's3',
    bucket: 'b',
    region: 'us-east-1',
    prefix: '',
    endpoint: `http://127.0.0.1:${port}`,
    accessKeyId: 'x',
    secretAccessKey: 'y',
    requestTimeoutMs: 200,
  }
}

test('an S3 endpoint that is away, or that accepts and never answers, is unavailable in bounded time', async () => {
  const silent = net.createServer(() => undefined)
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const config = configOf(silent)
  await expect(openS3ObjectStore(config).get('a')).rejects.toMatchObject({ code: 'unavailable' })
  silent.close()
  const away = { ...config, endpoint: 'http://127.0.0.1:1' }
  await expect(openS3ObjectStore(away).get('a')).rejects.toMatchObject({ code: 'unavailable' })
})

/** Answers every request with these bytes, and leaves the connection open. */
async function answering(answer: (request: string) => string): Promise<{ config: S3Config; close: () => void }> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('data', (request) => socket.write(answer(request.toString())))
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { config: configOf(server), close }
}

test('an S3 endpoint that falls silent in the middle of an object is unavailable in bounded time', async () => {
  const { config, close } = await answering(() => 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc')
  await expect(openS3ObjectStore(config).get('a')).rejects.toMatchObject({ code: 'unavailable' })
  close()
})

test('a whole S3 object in place of the range asked for is unavailable, not taken for the range', async () => {
  const { config, close } = await answering(() => 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc')
  const range = { start: 1, end: 4 }
  await expect(openS3ObjectStore(config).get('a', { range })).rejects.toMatchObject({ code: 'unavailable' })
  close()
})

test('an S3 listing goes on behind a page of deleted keys alone', async () => {
  const page = (text: string) => {
    const body = `<ListBucketResult>${text}</ListBucketResult>`
    return `HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  }
  const { config, close } = await answering((request) =>
    request.includes('continuation-token=next')
      ? page('<IsTruncated>false</IsTruncated><Contents><Key>p/a</Key><Size>3</Size></Contents>')
      : page('<IsTruncated>true</IsTruncated><NextContinuationToken>next</NextContinuationToken>'),
  )
  const listed = await openS3ObjectStore(config).list('p/')
  expect(listed).toEqual({ objects: [{ key: 'p/a', sizeBytes: 3 }], truncated: false })
  close()
})

test('a folder that cannot be written is told when the store is opened', async () => {
  const { folder, remove } = temporaryFolder()
  try {
    fs.writeFileSync(path.join(folder, 'file'), '')
    const env = { clock: nodeClock, random: nodeRandom, log: silentLog, metrics: noMetrics }
    const opening = openObjectStore({ kind: 'local', folder: path.join(folder, 'file/below') }, env)
    await expect(opening).rejects.toThrow(/open object store folder/)
  } finally {
    remove()
  }
})
