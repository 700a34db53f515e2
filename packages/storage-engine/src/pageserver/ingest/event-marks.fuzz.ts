import { StorageError } from '../../base/errors.ts'
import { decodeEventMarks } from './event-marks.ts'

/** A stored value that is not an event journal is a typed error, never anything else. */
export const fuzzer = {
  name: 'event-marks',
  run(
    random: { below(bound: number): number; bytes(length: number): Uint8Array },
    { events }: { events: number },
  ): void {
    const text = '[[2097152,8e14,"ddl","created table a",100,7,0],[2097160,null,"term","x",0,0,3]]'
    for (let i = 0; i < events; i++) {
      const bytes = random.below(4) === 0 ? random.bytes(random.below(100)) : new TextEncoder().encode(text)
      if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256)
      try {
        decodeEventMarks(bytes)
      } catch (error) {
        if (!(error instanceof StorageError)) throw error
      }
    }
  },
}
