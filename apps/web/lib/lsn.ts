/** LSNs as the API writes them, `0/16B3748`: 64 bits in two hexadecimal halves. */

const pattern = /^([0-9a-f]{1,8})\/([0-9a-f]{1,8})$/i

/** The position in bytes, or undefined when the text is not an LSN. */
export function parseLsn(text: string): bigint | undefined {
  const match = pattern.exec(text.trim())
  return match ? (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`) : undefined
}

export function formatLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`
}

/** Bytes from `from` to `to`; undefined when one is not an LSN. */
export function lsnDistance(from: string, to: string): bigint | undefined {
  const start = parseLsn(from)
  const end = parseLsn(to)
  return start === undefined || end === undefined ? undefined : end - start
}
