/** The answer to a SHOW that the proxy asked between two questions of the client's. */
export interface SettingAnswer {
  /** Undefined when the compute answered with an error. */
  readonly value: string | undefined
  /** Messages that belong to the client: notifications, notices, changed parameters, and whatever follows. */
  readonly others: Buffer
}

const HEADER_BYTES = 5
/** NotificationResponse, NoticeResponse, ParameterStatus: may come at any time. */
const ASIDE = new Set([...'ANS'].map((letter) => letter.charCodeAt(0)))

/** Undefined while the ReadyForQuery that ends the answer has not come. */
export function readSetting(bytes: Buffer): SettingAnswer | undefined {
  const others: Buffer[] = []
  let value: string | undefined
  let at = 0
  while (bytes.length - at >= HEADER_BYTES) {
    const size = 1 + bytes.readUInt32BE(at + 1)
    if (size < HEADER_BYTES || bytes.length - at < size) return undefined
    const message = bytes.subarray(at, at + size)
    at += size
    const type = String.fromCharCode(message[0]!)
    if (ASIDE.has(message[0]!)) others.push(message)
    else if (type === 'D') value = firstColumn(message.subarray(HEADER_BYTES))
    else if (type === 'Z') return { value, others: Buffer.concat([...others, bytes.subarray(at)]) }
  }
  return undefined
}

/** DataRow: column count (u16), then per column its length (i32) and bytes. */
function firstColumn(body: Buffer): string | undefined {
  if (body.length < 6) return undefined
  const length = body.readInt32BE(2)
  return length < 0 || body.length < 6 + length ? undefined : body.toString('utf8', 6, 6 + length)
}
