import { spawn } from 'node:child_process'
import * as fs from 'node:fs'
import * as path from 'node:path'
import type { Worker } from 'node:worker_threads'
import { StorageError } from '../base/errors.ts'
import type { Log } from '../io/log.ts'
import { openWorker } from '../io/node-workers.ts'
import { nodeCacheFiles, writeDeviceParts } from './fuse-device.ts'
import type { FuseSeed } from './fuse-seed.ts'
import { ControlWord, type DriverMessage, type ReaderMessage, type ReaderStart } from './miss-messages.ts'
import { type MissCounts, MissServer } from './miss-server.ts'
import { CacheFolder } from './overlay.ts'
import type { PageReader } from './page-reader.ts'

const DEVICE = '/dev/fuse'
/** Larger requests for sequential reads; the mount's default is 128 KiB. */
const READ_AHEAD_KIB = 1024
const READER_END_WAIT_MS = 3000

export interface FuseMountOptions {
  /** An empty directory outside the data directory; made when missing. */
  readonly mountPath: string
  /** For the cache files; emptied at open. */
  readonly cacheFolder: string
  readonly pageReader: PageReader
  readonly log: Log
}

export interface FuseStats {
  readonly readHits: number
  readonly readMisses: number
  readonly misses: MissCounts
  /** Requests by opcode number. */
  readonly requests: Readonly<Record<number, number>>
}

/**
 * A mount of ours. Empty until `plant`. While it is open this process must not touch it with a synchronous call: the
 * answer would come from the thread that waits.
 */
export interface FuseMount {
  readonly mountPath: string
  /** Gives the mount its content; once, before anybody uses it. */
  plant(seed: FuseSeed): void
  stats(): FuseStats
  /** Settles when the kernel side has ended, by `close` or by somebody's umount. */
  readonly ended: Promise<string>
  /** Unmounts, whoever still has files open there, and stops the reader thread. Idempotent. */
  close(): Promise<void>
}

/** Undefined when a mount can be tried here, otherwise the reason why not. */
export function fuseObstacle(): string | undefined {
  if (process.platform !== 'linux') return `FUSE mounts need Linux, this is ${process.platform}`
  try {
    fs.closeSync(fs.openSync(DEVICE, fs.constants.O_RDWR))
  } catch (error) {
    return `${DEVICE} cannot be opened: ${error instanceof Error ? error.message : String(error)}`
  }
  if (!mayMount()) return 'this process may not mount (no CAP_SYS_ADMIN in its user namespace)'
  return undefined
}

/** CAP_SYS_ADMIN is bit 21 of the effective set. */
function mayMount(): boolean {
  const match = /^CapEff:\s*([0-9a-f]+)$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))
  return match !== null && (BigInt(`0x${match[1]}`) & (1n << 21n)) !== 0n
}

/** Removes a mount that a killed process left at `mountPath`, and nothing else. */
export async function clearStaleMount(mountPath: string): Promise<void> {
  if (process.platform !== 'linux') return
  const mounted = fs
    .readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.split(' ')[1] === mountPath.replaceAll(' ', '\\040'))
  for (const _ of mounted) await run('umount', ['-l', mountPath])
}

/** Rejects with `unavailable` when the kernel or the mount program refuses. */
export async function openFuseMount(options: FuseMountOptions): Promise<FuseMount> {
  const { mountPath, cacheFolder, log } = options
  await clearStaleMount(mountPath)
  fs.rmSync(cacheFolder, { recursive: true, force: true })
  fs.mkdirSync(cacheFolder, { recursive: true, mode: 0o700 })
  fs.mkdirSync(mountPath, { recursive: true })

  const device = fs.openSync(DEVICE, fs.constants.O_RDWR)
  const control = new SharedArrayBuffer(ControlWord.count * 4)
  const counts = new Int32Array(control)
  const folder = new CacheFolder(nodeCacheFiles, cacheFolder)
  const missServer = new MissServer({
    folder,
    pageReader: options.pageReader,
    log,
    reply(parts) {
      const failure = writeDeviceParts(device, parts)
      if (failure) log.error('fuse reply refused by the kernel', { code: failure })
    },
  })

  let settleEnded: (reason: string) => void = () => undefined
  const ended = new Promise<string>((resolve) => {
    settleEnded = resolve
  })
  const reader: Worker = openWorker('fuse/fuse-reader', {
    workerData: { device, cacheFolder, control } satisfies ReaderStart,
  })
  reader.on('message', (message: ReaderMessage) => {
    if (message.kind === 'ended') settleEnded(message.reason)
    else missServer.onMessage(message)
  })
  reader.on('error', (error) => {
    log.error('fuse reader thread died', { reason: error.message })
    settleEnded(error.message)
  })
  const exited = new Promise<void>((resolve) => reader.once('exit', () => resolve()))

  let isClosed = false
  async function close(): Promise<void> {
    if (isClosed) return
    isClosed = true
    // Force aborts the connection, so that nobody stays stuck in a request; lazy detaches whatever is still open.
    await run('umount', ['-f', '-l', mountPath])
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, READER_END_WAIT_MS).unref())])
    await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, READER_END_WAIT_MS).unref())])
    folder.closeAll()
    fs.closeSync(device)
    fs.rmSync(cacheFolder, { recursive: true, force: true })
  }

  try {
    await mount(device, mountPath)
  } catch (error) {
    // The thread polls a device that will never be mounted; without a request it holds nothing and may be ended.
    await reader.terminate()
    fs.closeSync(device)
    throw error
  }
  raiseReadAhead(mountPath, log)

  return {
    mountPath,
    ended,
    close,
    plant(seed) {
      reader.postMessage({ kind: 'seed', seed } satisfies DriverMessage)
      Atomics.store(counts, ControlWord.mail, 1)
    },
    stats: () => ({
      readHits: counts[ControlWord.readHits]!,
      readMisses: counts[ControlWord.readMisses]!,
      misses: { ...missServer.counts },
      requests: Object.fromEntries(
        Array.from({ length: 64 }, (_, opcode) => [opcode, counts[ControlWord.opcodes + opcode]!] as const).filter(
          ([, count]) => count > 0,
        ),
      ),
    }),
  }
}

async function mount(device: number, mountPath: string): Promise<void> {
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  const options = [`fd=3,rootmode=40000,user_id=${uid},group_id=${gid}`]
  // Postgres runs under another account than root does.
  if (uid === 0) options.push('allow_other')
  const args = ['-i', '-t', 'fuse', '-o', options.join(','), 'tributary', mountPath]
  const { code, output } = await run('mount', args, device)
  if (code !== 0) throw new StorageError('unavailable', 'mount failed', { mountPath, code, output })
}

/** Only root may; elsewhere the default stays. */
function raiseReadAhead(mountPath: string, log: Log): void {
  if (process.getuid?.() !== 0) return
  const line = fs
    .readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((candidate) => candidate.split(' ')[4] === mountPath.replaceAll(' ', '\\040'))
  const device = line?.split(' ')[2]
  if (device === undefined) return
  try {
    fs.writeFileSync(path.join('/sys/class/bdi', device, 'read_ahead_kb'), String(READ_AHEAD_KIB))
  } catch (error) {
    log.debug('read-ahead of the mount stays at its default', { reason: String(error) })
  }
}

/** Never spawnSync: the mount's own requests are answered meanwhile. `device` becomes descriptor 3 of the child. */
function run(command: string, args: string[], device?: number): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe', ...(device === undefined ? [] : [device])] })
    let output = ''
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.once('error', (error) => resolve({ code: -1, output: error.message }))
    child.once('close', (code) => resolve({ code: code ?? -1, output: output.trim().slice(0, 400) }))
  })
}
