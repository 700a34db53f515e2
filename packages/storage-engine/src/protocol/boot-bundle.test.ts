import { expect, test } from 'vitest'
import { CorruptionError } from '../base/errors.ts'
import { type BootBundle, decodeBootBundle, encodeBootBundle } from './boot-bundle.ts'

const bundle: BootBundle = {
  header: {
    formatVersion: 1,
    projectId: '0'.repeat(32),
    timelineId: '1'.repeat(32),
    systemIdentifier: '7310000000000000001',
    lsn: '0/1500028',
    prevRecordLsn: '0/14FFFB0',
    checkpoint: {
      nextXid: '4294967999',
      nextOid: 24576,
      nextMulti: 1,
      nextMultiOffset: 0,
      oldestXid: 731,
      oldestXidDb: 1,
      oldestMulti: 1,
      oldestMultiDb: 1,
      time: 1_700_000_000,
      isShutdown: true,
    },
    controlFile: 'AAAA',
    parameters: {
      maxConnections: 100,
      maxWorkerProcesses: 8,
      maxWalSenders: 10,
      maxPreparedXacts: 0,
      maxLocksPerXact: 64,
      walLevel: 1,
      walLogHints: false,
      trackCommitTimestamp: false,
    },
    databases: [{ dbOid: 1, spcOid: 1663 }],
    relations: [[1663, 1, 1259, 14, 3, 1, -1]],
    unlogged: [],
  },
  files: [
    { path: 'PG_VERSION', mode: 0o600, bytes: Buffer.from('18\n') },
    { path: 'pg_xact/0000', mode: 0o600, bytes: new Uint8Array(8192).fill(0x55) },
  ],
}

test('a boot bundle decodes to what was encoded', () => {
  const decoded = decodeBootBundle(encodeBootBundle(bundle))
  expect(decoded.header).toEqual(bundle.header)
  expect(decoded.files.map((file) => [file.path, file.mode, Buffer.from(file.bytes).toString('hex')])).toEqual(
    bundle.files.map((file) => [file.path, file.mode, Buffer.from(file.bytes).toString('hex')]),
  )
})

test('every flipped bit and every cut of a boot bundle is reported as corruption', () => {
  const encoded = encodeBootBundle({ ...bundle, files: bundle.files.slice(0, 1) })
  for (let at = 0; at < encoded.length; at++) {
    const broken = encoded.slice()
    broken[at]! ^= 1 << (at % 8)
    expect(() => decodeBootBundle(broken)).toThrow(CorruptionError)
    expect(() => decodeBootBundle(encoded.subarray(0, at))).toThrow(CorruptionError)
  }
})

test('a file path that leaves the data directory is refused', () => {
  const files = [{ path: '../outside', mode: 0o600, bytes: new Uint8Array(1) }]
  expect(() => decodeBootBundle(encodeBootBundle({ ...bundle, files }))).toThrow(/outside the data directory/)
})
