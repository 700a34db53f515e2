const pattern = /^[0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8}$/

export function isLsnText(text: string): boolean {
  return pattern.test(text)
}

/** '0/16B3748' as a number of bytes. Throws on anything else. */
export function lsnValue(text: string): bigint {
  if (!isLsnText(text)) throw new Error(`not an LSN: ${text}`)
  const [high = '', low = ''] = text.split('/')
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}

/** As Postgres prints it. */
export function lsnText(value: bigint): string {
  return `${(value >> 32n).toString(16).toUpperCase()}/${(value & 0xffff_ffffn).toString(16).toUpperCase()}`
}

export function compareLsn(left: string, right: string): number {
  const difference = lsnValue(left) - lsnValue(right)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}
