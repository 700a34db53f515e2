import { randomBytes, randomInt } from 'node:crypto'
import { assert } from '../base/assert.ts'
import type { Random } from './random.ts'

/** The operating system's randomness; good enough for secrets. */
export const nodeRandom: Random = {
  uint32: () => randomInt(0, 0x1_0000_0000),
  below(bound: number): number {
    assert(Number.isSafeInteger(bound) && bound > 0, () => `random bound out of range: ${bound}`)
    return bound === 1 ? 0 : randomInt(0, bound)
  },
  bytes: (length: number) => new Uint8Array(randomBytes(length)),
}
