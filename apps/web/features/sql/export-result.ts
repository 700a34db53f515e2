/** A result as a file: what is on screen, in forms that other programs read. */

export interface ResultTable {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly (string | null)[])[]
}

/** RFC 4180, with a header. NULL is an empty field, the empty text is quoted, so that the two stay apart. */
export function toCsv({ columns, rows }: ResultTable): string {
  const lines = [columns.map((column) => csvField(column.name)), ...rows.map((row) => row.map(csvField))]
  return `${lines.map((line) => line.join(',')).join('\r\n')}\r\n`
}

function csvField(value: string | null): string {
  if (value === null) return ''
  return value === '' || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}

const exactNumbers = /^(int2|int4|smallint|integer|float4|float8|real|double precision|double|tinyint)$/i
const booleans = /^bool(ean)?$/i
const documents = /^jsonb?$/i

/** One object a row. Numbers that JSON keeps exactly are numbers; the rest (bigint, numeric, times) stays text. */
export function toJson({ columns, rows }: ResultTable): string {
  const names = uniqueNames(columns.map((column) => column.name))
  const objects = rows.map((row) =>
    Object.fromEntries(row.map((value, index) => [names[index] ?? '', jsonValue(value, columns[index]?.type ?? '')])),
  )
  return `${JSON.stringify(objects, null, 2)}\n`
}

function jsonValue(value: string | null, type: string): unknown {
  if (value === null) return null
  if (booleans.test(type)) return value === 't' || value === 'true'
  if (exactNumbers.test(type)) {
    const number = Number(value)
    return Number.isFinite(number) ? number : value
  }
  if (!documents.test(type)) return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

/** A result may name two columns alike; an object may not. */
export function uniqueNames(names: readonly string[]): string[] {
  const seen = new Map<string, number>()
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return count === 1 ? name : `${name}_${count}`
  })
}

/** Lets the browser save `content` as a file. */
export function download(content: BlobPart, fileName: string, mediaType: string): void {
  const url = URL.createObjectURL(new Blob([content], { type: mediaType }))
  const link = document.createElement('a')
  link.href = url
  link.download = fileName
  link.click()
  URL.revokeObjectURL(url)
}
