/** ZeroMQ's base 85 (rfc.zeromq.org/spec/32): 4 bytes, big-endian, in 5 characters. */
import { assert } from '../base/assert.ts'
import { CorruptionError } from '../base/errors.ts'

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'
const VALUE_OF = new Map([...ALPHABET].map((character, value) => [character, value]))

/** `bytes.length` is a multiple of 4. */
export function encodeZ85(bytes: Uint8Array): string {
  assert(bytes.length % 4 === 0, 'z85 takes groups of 4 bytes')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let text = ''
  for (let at = 0; at < bytes.length; at += 4) {
    let value = view.getUint32(at)
    let group = ''
    for (let i = 0; i < 5; i++) {
      group = ALPHABET[value % 85]! + group
      value = Math.floor(value / 85)
    }
    text += group
  }
  return text
}

export function decodeZ85(text: string): Uint8Array {
  if (text.length % 5 !== 0) throw new CorruptionError('z85 text of wrong length', { length: text.length })
  const view = new DataView(new ArrayBuffer((text.length / 5) * 4))
  for (let at = 0; at < text.length; at += 5) {
    let value = 0
    for (let i = 0; i < 5; i++) {
      const digit = VALUE_OF.get(text[at + i]!)
      if (digit === undefined) throw new CorruptionError('not a z85 character', { offset: at + i })
      value = value * 85 + digit
    }
    if (value > 0xffff_ffff) throw new CorruptionError('z85 group too large', { offset: at })
    view.setUint32((at / 5) * 4, value)
  }
  return new Uint8Array(view.buffer)
}
