import { resolveEndpointAddress } from './endpoint-address.ts'
import { FrontendTracker } from './frontend-tracker.ts'
import { checkClientProof, decodeClientFirst, mockScramVerifier, parseScramVerifier, serverFirst } from './scram.ts'
import { readSetting } from './setting-question.ts'
import { checkStartupLength, decodeFirstPacket } from './startup-message.ts'
import { SyncWaitGuard } from './sync-wait-guard.ts'
import { encodeMessage, ProxyError } from './wire.ts'

interface Random {
  below(bound: number): number
  bytes(length: number): Uint8Array
}

/** What a client or a compute can send: mutated samples of the real thing. Anything but a ProxyError is a bug. */
export const startupFuzzer = {
  name: 'proxy-startup',
  run(random: Random, { events }: { events: number }): void {
    const secret = Buffer.alloc(32, 7)
    for (let event = 0; event < events; event++) {
      tolerate(() => {
        const packet = mutate(random, pick(random, startupSamples))
        checkStartupLength(packet.length + 4)
        const decoded = decodeFirstPacket(packet)
        if (decoded.kind === 'startup')
          resolveEndpointAddress({
            serverName: random.below(2) === 0 ? undefined : mutate(random, Buffer.from('ep-a.db.localtest')).toString(),
            publicHost: 'db.localtest',
            parameters: decoded.parameters,
          })
      })
      tolerate(() => {
        const canBind = random.below(2) === 0
        const first = decodeClientFirst(mutate(random, pick(random, clientFirstSamples)), canBind)
        const verifier = mockScramVerifier(secret, 'ep-a', 'ann')
        const body = mutate(random, Buffer.from(`c=biws,r=${first.nonce}xyz,p=${Buffer.alloc(32).toString('base64')}`))
        const outcome = checkClientProof({
          body,
          clientFirst: first,
          serverFirst: serverFirst(first, verifier, 'xyz'),
          verifier,
          channelBinding: canBind ? Buffer.alloc(32) : undefined,
        })
        if (outcome.isAccepted) throw new Error('a made-up verifier accepted a proof')
      })
      parseScramVerifier(mutate(random, verifierSample).toString())
      readSetting(mutate(random, computeSample))
      new FrontendTracker().feed(mutate(random, pick(random, startupSamples)))
      guardKeepsBytes(random)
    }
  },
}

/** A stream without a broken wait comes out as it went in, however it is cut. */
function guardKeepsBytes(random: Random): void {
  const input = mutate(random, computeSample)
  const written: Buffer[] = []
  let isAborted = false
  const guard = new SyncWaitGuard({
    write: (bytes) => written.push(Buffer.from(bytes)),
    abort: () => {
      isAborted = true
    },
    onBrokenWait: () => {
      isAborted = true
    },
    onReady: () => true,
  })
  for (let at = 0; at < input.length && !isAborted; ) {
    const size = 1 + random.below(20)
    guard.feed(Buffer.from(input.subarray(at, at + size)))
    at += size
  }
  const output = Buffer.concat(written)
  if (!isAborted && !input.subarray(0, output.length).equals(output)) throw new Error('the guard changed the stream')
}

const startupSamples = [
  Buffer.from(
    '\0\x03\0\0user\0ann\0database\0app\0options\0-c geqo=off endpoint=ep-a neon_lsn:0/16B3748\0\0',
    'latin1',
  ),
  Buffer.from('\0\x03\0\x02user\0ann@ep-a\0_pq_.x\x001\0\0', 'latin1'),
  Buffer.from([0x04, 0xd2, 0x16, 0x2f]),
  Buffer.from([0x04, 0xd2, 0x16, 0x2e, 0, 0, 0, 1, 1, 2, 3, 4]),
]
const clientFirstSamples = [
  Buffer.concat([Buffer.from('SCRAM-SHA-256\0\0\0\0\x0c'), Buffer.from('n,,n=,r=abcd')]),
  Buffer.concat([Buffer.from('SCRAM-SHA-256-PLUS\0\0\0\0\x22'), Buffer.from('p=tls-server-end-point,,n=,r=abcde')]),
]
const verifierSample = Buffer.from(
  `SCRAM-SHA-256$4096:${Buffer.alloc(16).toString('base64')}$${Buffer.alloc(32).toString('base64')}:${Buffer.alloc(32).toString('base64')}`,
)
const computeSample = Buffer.concat([
  encodeMessage('T', Buffer.alloc(30)),
  encodeMessage('D', Buffer.from([0, 1, 0, 0, 0, 2, 0x6f, 0x6e])),
  encodeMessage('N', Buffer.from('SWARNING\0Rexec_stmt_raise\0\0')),
  encodeMessage('C', Buffer.from('INSERT 0 1\0')),
  encodeMessage('Z', Buffer.from('I')),
])

function mutate(random: Random, sample: Buffer): Buffer {
  const bytes = Buffer.from(sample)
  for (let count = random.below(4); count > 0; count--) bytes[random.below(bytes.length)] = random.below(256)
  if (random.below(4) === 0) return Buffer.from(bytes.subarray(0, random.below(bytes.length + 1)))
  if (random.below(8) === 0) return Buffer.concat([bytes, random.bytes(random.below(16))])
  return bytes
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[random.below(items.length)]!
}

function tolerate(work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error
  }
}
