/**
 * float4out and float8out with extra_float_digits = 1: the shortest digits that give the same value back
 * (src/common/d2s.c, f2s.c, PG 18), plain between 1e-4 and 1e15 (1e6 for float4), else with an exponent of two digits or more.
 */
export function formatFloat8(value: number): string {
  return format(value, value.toExponential(), 15)
}

export function formatFloat4(value: number): string {
  if (!Number.isFinite(value) || value === 0) return format(value, value.toExponential(), 6)
  for (let digits = 0; digits < 9; digits++) {
    const text = value.toExponential(digits)
    if (Math.fround(Number(text)) === value) return format(value, text, 6)
  }
  return format(value, value.toExponential(9), 6)
}

function format(value: number, exponential: string, plainExponentMax: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa, exponentText] = exponential.split('e') as [string, string]
  const sign = value < 0 ? '-' : ''
  const digits = mantissa.replace('-', '').replace('.', '').replace(/0+$/, '') || '0'
  const exponent = Number(exponentText)
  if (exponent < -4 || exponent >= plainExponentMax) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : ''
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  if (digits.length <= exponent + 1) return sign + digits.padEnd(exponent + 1, '0')
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`
}
