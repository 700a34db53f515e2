import { StorageError } from '../base/errors.ts'
import type { Protocol } from './actions.ts'

/** Reader features (PROTOCOL.md, "Table Features") that this reader follows. */
const READER_FEATURES = new Set(['deletionVectors', 'columnMapping', 'timestampNtz', 'vacuumProtocolCheck'])
/** Reader versions below 3 stand for fixed sets of features: 1 none, 2 column mapping. */
const READER_VERSION_MAX = 3

/** Throws `unsupported` naming the first feature that a reader of this table must know and this one does not. */
export function requireReadableTable(protocol: Protocol): void {
  const { minReaderVersion, readerFeatures = [] } = protocol
  if (minReaderVersion > READER_VERSION_MAX) {
    throw new StorageError('unsupported', 'delta table of a later protocol', { minReaderVersion })
  }
  if (minReaderVersion < 3) return
  const unknown = readerFeatures.find((feature) => !READER_FEATURES.has(feature))
  if (unknown !== undefined) throw new StorageError('unsupported', 'delta table feature', { feature: unknown })
}

/** What tables written here ask of readers and writers. */
export function writtenProtocol(options: { readonly hasTimestampNtz: boolean }): Protocol {
  const readerFeatures = ['columnMapping', 'deletionVectors', ...(options.hasTimestampNtz ? ['timestampNtz'] : [])]
  return {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures,
    writerFeatures: [...readerFeatures, 'appendOnly', 'invariants'],
  }
}
