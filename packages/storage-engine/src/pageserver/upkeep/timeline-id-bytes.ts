/** The 16 bytes of a timeline id, as layer headers hold them. */
export function timelineIdBytes(timelineId: string): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(timelineId.slice(2 * i, 2 * i + 2), 16))
}
