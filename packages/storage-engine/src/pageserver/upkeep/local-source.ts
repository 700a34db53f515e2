import { CorruptionError } from '../../base/errors.ts'
import type { Disk } from '../../io/disk.ts'
import type { ByteSource } from '../../parquet/file-reader.ts'

/** A call of the system costs about as much as copying so many bytes. */
const LOCAL_GAP_BYTES = 4096

/** A local file as a source of Parquet bytes, read on the calling thread: for workers. */
export function openLocalSource(disk: Disk, path: string): ByteSource & { close(): Promise<void> } {
  const file = disk.openNow(path, 'read')
  const sizeBytes = file.sizeBytes()
  return {
    sizeBytes,
    gapBytes: LOCAL_GAP_BYTES,
    read(start, end) {
      if (start < 0 || end > sizeBytes || start > end) {
        return Promise.reject(new CorruptionError('range outside the file', { path, offset: start, sizeBytes }))
      }
      const bytes = new Uint8Array(end - start)
      if (file.readNow(bytes, start) !== bytes.length) {
        return Promise.reject(new CorruptionError('file is cut off', { path, offset: start }))
      }
      return Promise.resolve(bytes)
    },
    close: () => file.close(),
  }
}
