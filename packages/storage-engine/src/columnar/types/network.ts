/**
 * inet, cidr, macaddr, macaddr8 as text. inet payload (inet_struct, src/include/utils/inet.h, PG 18): u8 family (2 IPv4,
 * 3 IPv6), u8 bits of the netmask, address of 4 or 16 bytes.
 */
import { hex, textualCodec } from './text.ts'

export const inetCodec = textualCodec((bytes, start) => networkText(bytes, start, false))
export const cidrCodec = textualCodec((bytes, start) => networkText(bytes, start, true))
export const macaddrCodec = textualCodec((bytes, start, end) => macText(bytes, start, end))

function networkText(bytes: Uint8Array, start: number, alwaysBits: boolean): string {
  const isV6 = bytes[start] === 3
  const bits = bytes[start + 1]!
  const address = isV6 ? ipv6Text(bytes, start + 2) : bytes.subarray(start + 2, start + 6).join('.')
  return alwaysBits || bits !== (isV6 ? 128 : 32) ? `${address}/${bits}` : address
}

/** inet_net_ntop_ipv6 (src/port/inet_net_ntop.c): the longest run of zero words becomes ::, embedded IPv4 stays dotted. */
function ipv6Text(bytes: Uint8Array, start: number): string {
  const words = Array.from({ length: 8 }, (_, i) => (bytes[start + i * 2]! << 8) | bytes[start + i * 2 + 1]!)
  let bestStart = -1
  let bestLength = 1
  for (let from = 0; from < 8; from++) {
    let length = 0
    while (from + length < 8 && words[from + length] === 0) length++
    if (length > bestLength) {
      bestStart = from
      bestLength = length
    }
  }
  const embedsV4 =
    bestStart === 0 &&
    (bestLength === 6 || (bestLength === 7 && words[7] !== 1) || (bestLength === 5 && words[5] === 0xffff))
  let text = ''
  for (let i = 0; i < 8; i++) {
    if (bestStart >= 0 && i >= bestStart && i < bestStart + bestLength) {
      if (i === bestStart) text += ':'
      continue
    }
    if (i > 0) text += ':'
    if (i === 6 && embedsV4) return text + bytes.subarray(start + 12, start + 16).join('.')
    text += words[i]!.toString(16)
  }
  return bestStart >= 0 && bestStart + bestLength === 8 ? `${text}:` : text
}

function macText(bytes: Uint8Array, start: number, end: number): string {
  return hex(bytes, start, end).replace(/(..)(?=.)/g, '$1:')
}
