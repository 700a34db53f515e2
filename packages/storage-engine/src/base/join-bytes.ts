/** The parts one after the other, `byteCount` bytes in all. One part alone is returned as it is. */
export function joinBytes(parts: readonly Uint8Array[], byteCount: number): Uint8Array {
  if (parts.length === 1) return parts[0]!
  const whole = new Uint8Array(byteCount)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
