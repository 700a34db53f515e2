/** Just enough of ASN.1's distinguished encoding rules (X.690) to write a certificate and to read one's signature algorithm. */

export const DER = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  boolean: 0x01,
  sequence: 0x30,
  set: 0x31,
} as const

export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body])
  const size: number[] = []
  for (let rest = body.length; rest > 0; rest >>>= 8) size.unshift(rest & 0xff)
  return Buffer.concat([Buffer.from([tag, 0x80 | size.length, ...size]), body])
}

export function derObjectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const value of rest) {
    const base128 = [value & 0x7f]
    for (let left = value >>> 7; left > 0; left >>>= 7) base128.unshift(0x80 | (left & 0x7f))
    bytes.push(...base128)
  }
  return der(DER.objectId, Buffer.from(bytes))
}

export interface DerValue {
  readonly tag: number
  readonly body: Buffer
  /** Bytes after this value. */
  readonly rest: Buffer
}

/** Undefined when the bytes hold no whole value. */
export function readDer(bytes: Buffer): DerValue | undefined {
  const [tag, short] = [bytes[0], bytes[1]]
  if (tag === undefined || short === undefined) return undefined
  let [length, at] = [short, 2]
  if (short >= 0x80) {
    const size = short & 0x7f
    if (size === 0 || size > 4 || bytes.length < 2 + size) return undefined
    length = bytes.readUIntBE(2, size)
    at = 2 + size
  }
  if (bytes.length < at + length) return undefined
  return { tag, body: bytes.subarray(at, at + length), rest: bytes.subarray(at + length) }
}
