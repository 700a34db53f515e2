import * as net from 'node:net'
import pg from 'pg'
import Cursor from 'pg-cursor'
import type { PostgresAddress } from '../../control-plane/compute-control.ts'
import type { Statement } from './split-statements.ts'
import type { ResultColumn, SqlError, StatementResult } from './sql-result.ts'

const CONNECT_MS_MAX = 15_000
const NOTICES_MAX = 100
/** Of one answer: rows beyond are cut off, whatever the row limit. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024
/** Code of a CancelRequest (src/include/libpq/pqcomm.h, PG 18). */
const CANCEL_REQUEST_CODE = 80877102

/** Values as the server sent them: text. */
const asText = { getTypeParser: () => (value: string) => value }

interface RawField {
  readonly name: string
  readonly dataTypeID: number
  readonly dataTypeModifier: number
}

/** A session of one person's role on a compute, for one run of the editor. */
export class PostgresSession {
  readonly #client: pg.Client
  readonly #address: PostgresAddress
  #notices: string[] = []

  private constructor(client: pg.Client, address: PostgresAddress) {
    this.#client = client
    this.#address = address
    client.on('notice', (notice) => {
      if (this.#notices.length < NOTICES_MAX)
        this.#notices.push(`${notice.severity ?? 'NOTICE'}: ${notice.message ?? ''}`)
    })
  }

  static async open(
    address: PostgresAddress,
    login: { readonly user: string; readonly password: string; readonly database: string },
    timeoutMs: number,
  ): Promise<PostgresSession> {
    const client = new pg.Client({
      ...address,
      ...login,
      application_name: 'sql-editor',
      connectionTimeoutMillis: CONNECT_MS_MAX,
      statement_timeout: timeoutMs,
      idle_in_transaction_session_timeout: 60_000,
    })
    client.on('error', () => undefined)
    await client.connect()
    return new PostgresSession(client, address)
  }

  async run(statement: Statement, rowLimit: number, explain: boolean): Promise<StatementResult> {
    this.#notices = []
    const startedMs = performance.now()
    const text = explain ? `EXPLAIN (FORMAT JSON) ${statement.text}` : statement.text
    const cursor = this.#client.query(new Cursor(text, [], { rowMode: 'array', types: asText }))
    try {
      const rows: (string | null)[][] = []
      let sizeBytes = 0
      let result: { command: string; rowCount: number | null; fields: RawField[] } | undefined
      let truncated = false
      while (!truncated) {
        const wanted = Math.min(500, rowLimit + 1 - rows.length)
        const batch = await readBatch(cursor, wanted)
        result = batch.result ?? result
        for (const row of batch.rows) {
          sizeBytes += row.reduce((sum, value) => sum + (value?.length ?? 4), 0)
          rows.push(row)
        }
        truncated = rows.length > rowLimit || sizeBytes > ANSWER_BYTES_MAX
        if (batch.rows.length < wanted) break
      }
      if (truncated) rows.length = Math.min(rows.length, rowLimit)
      await cursor.close()
      const columns = await this.#columns(result?.fields ?? [])
      return {
        command: result?.command ?? '',
        rowCount: columns.length > 0 ? rows.length : (result?.rowCount ?? null),
        columns: explain ? [] : columns,
        rows: explain ? [] : rows,
        truncated,
        durationMs: performance.now() - startedMs,
        notices: this.#notices,
        plan: explain ? JSON.parse(rows[0]?.[0] ?? 'null') : null,
      }
    } catch (error) {
      await cursor.close().catch(() => undefined)
      throw error
    }
  }

  /** Names of types with their modifiers, as psql shows them. */
  async #columns(fields: readonly RawField[]): Promise<ResultColumn[]> {
    if (fields.length === 0) return []
    const { rows } = await this.#client.query<{ type: string }>(
      `SELECT pg_catalog.format_type(o, nullif(m, -1)) AS type
         FROM unnest($1::oid[], $2::int[]) WITH ORDINALITY AS t(o, m, n) ORDER BY n`,
      [fields.map(({ dataTypeID }) => dataTypeID), fields.map(({ dataTypeModifier }) => dataTypeModifier)],
    )
    return fields.map(({ name }, index) => ({ name, type: rows[index]?.type ?? 'unknown' }))
  }

  /** Asks the server to end what runs; the statement then fails with 57014. */
  cancel(): Promise<void> {
    const { processID, secretKey } = this.#client as unknown as {
      processID: number | null
      secretKey: number | Buffer | null
    }
    return new Promise((resolve) => {
      if (processID === null || secretKey === null) return resolve()
      const key = typeof secretKey === 'number' ? int32(secretKey) : secretKey
      const packet = Buffer.concat([int32(12 + key.length), int32(CANCEL_REQUEST_CODE), int32(processID), key])
      const socket = net.connect(this.#address.port, this.#address.host, () => socket.end(packet))
      socket.on('error', () => resolve())
      socket.on('close', () => resolve())
    })
  }

  /** What is open is rolled back by the server. */
  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined)
  }
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value | 0)
  return bytes
}

function readBatch(
  cursor: Cursor,
  count: number,
): Promise<{
  rows: (string | null)[][]
  result: { command: string; rowCount: number | null; fields: RawField[] } | undefined
}> {
  return new Promise((resolve, reject) => {
    cursor.read(count, (error: Error | undefined, rows: unknown[], result: pg.QueryResult | undefined) => {
      if (error) return reject(error)
      resolve({
        rows: rows as (string | null)[][],
        result: result as unknown as { command: string; rowCount: number | null; fields: RawField[] } | undefined,
      })
    })
  })
}

/** An error of the server, with its place in the whole text; null when it is not one of the server. */
export function sqlErrorOf(
  error: unknown,
  statement: Statement | undefined,
  whole: string,
  prefixLength: number,
): SqlError | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null
  const field = (name: string): string | null => {
    const value = (error as unknown as Record<string, unknown>)[name]
    return typeof value === 'string' && value !== '' ? value : null
  }
  const position = Number(field('position'))
  // Positions count characters, ours are UTF-16 units.
  const lead = statement ? [...whole.slice(0, statement.offset)].length : 0
  return {
    message: error.message,
    sqlState: /^[0-9A-Z]{5}$/.test(error.code) ? error.code : null,
    position: Number.isInteger(position) && position > 0 ? Math.max(1, position - prefixLength + lead) : null,
    hint: field('hint'),
    detail: field('detail'),
  }
}
