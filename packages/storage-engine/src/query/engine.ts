/** DuckDB as the engine of one query: an instance of its own, with bounds, that sees the files it is given and nothing else. */
import { BIGINT, type DuckDBConnection, DuckDBDataChunk, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api'
import type { QueryColumn, QueryValue } from '../admin/query-client.ts'
import { errorText, StorageError } from '../base/errors.ts'
import { SerialLock } from '../base/serial-lock.ts'
import { postgresTypeName, valueConverter } from './result-values.ts'
import { quoteText } from './sql/tokens.ts'

export interface EngineOptions {
  /** For spilled data. */
  readonly directory: string
  readonly memoryMb: number
  readonly spillMb: number
}

export interface EngineRows {
  readonly columns: readonly QueryColumn[]
  readonly rows: readonly (readonly QueryValue[])[]
  readonly isTruncated: boolean
}

/** An answer takes no more than this in values held, as text; beyond it the query is `exhausted`. */
const ANSWER_CHARS_MAX = 64 * 1024 * 1024

/** Rows of a chunk that values are handed over in (STANDARD_VECTOR_SIZE of DuckDB). */
const CHUNK_ROWS_MAX = 2048

export class Engine {
  readonly #instance: DuckDBInstance
  readonly #connection: DuckDBConnection
  #isClosed = false
  /** A statement that runs would spoil another on the same connection. */
  readonly #statements = new SerialLock()

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance
    this.#connection = connection
  }

  static async open(threads: number): Promise<Engine> {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: String(threads),
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      allow_community_extensions: 'false',
    })
    const connection = await instance.connect()
    const engine = new Engine(instance, connection)
    // As Postgres: integer division, nulls last, UTC.
    await engine.run(`set integer_division = true; set default_null_order = 'nulls_last_on_asc_first_on_desc';
      set TimeZone = 'UTC'; set preserve_insertion_order = false; set parquet_metadata_cache = true`)
    return engine
  }

  /** To be called once, before anything else. */
  async bound({ directory, memoryMb, spillMb }: EngineOptions): Promise<void> {
    await this.run(`set memory_limit = '${memoryMb}MiB'; set temp_directory = ${quoteText(directory)};
      set max_temp_directory_size = '${spillMb}MiB'`)
  }

  /** Our own statements, one after the other. */
  async run(sql: string): Promise<void> {
    await this.#inTurn(() => this.#connection.run(sql))
  }

  /**
   * A temporary table of BIGINT columns with these safe integers, one array of the same length for each column. Values in
   * the text of a statement would be parsed and planned one by one.
   */
  async createTable(name: string, columns: Readonly<Record<string, readonly number[]>>): Promise<void> {
    const types = Object.keys(columns).map((column) => `${column} BIGINT`)
    await this.#inTurn(async () => {
      await this.#connection.run(`create temp table ${name} (${types.join(', ')})`)
      await this.#append(name, Object.values(columns))
    })
  }

  async #append(name: string, columns: readonly (readonly number[])[]): Promise<void> {
    const appender = await this.#connection.createAppender(name, 'main', 'temp')
    try {
      for (let at = 0; at < columns[0]!.length; at += CHUNK_ROWS_MAX) {
        const end = Math.min(columns[0]!.length, at + CHUNK_ROWS_MAX)
        const chunk = DuckDBDataChunk.create(
          columns.map(() => BIGINT),
          end - at,
        )
        columns.forEach((column, i) => {
          chunk.setColumnValues(i, column.slice(at, end).map(BigInt))
        })
        appender.appendDataChunk(chunk)
        await new Promise((resolve) => setImmediate(resolve))
      }
    } finally {
      appender.closeSync()
    }
  }

  async rows(sql: string): Promise<DuckDBValue[][]> {
    return this.#inTurn(async () => (await this.#connection.runAndReadAll(sql)).getRows())
  }

  /** From here on only these files can be read, and no setting be changed. */
  async lock(paths: readonly string[]): Promise<void> {
    await this.run(`set allowed_paths = [${paths.map(quoteText).join(', ')}]; set enable_external_access = false;
      set lock_configuration = true`)
  }

  /** The user's statement, up to `rowsMax` rows. */
  select(sql: string, rowsMax: number): Promise<EngineRows> {
    return this.#guard(async () => {
      const result = await this.#connection.stream(sql)
      const names = result.deduplicatedColumnNames()
      const columns = result.columnTypes().map((type, i) => ({ name: names[i]!, type: postgresTypeName(type) }))
      const converters = result.columnTypes().map(valueConverter)
      const rows: QueryValue[][] = []
      let chars = 0
      for (;;) {
        const chunk = await result.fetchChunk()
        if (!chunk || chunk.rowCount === 0) return { columns, rows, isTruncated: false }
        for (const row of chunk.getRows()) {
          if (rows.length === rowsMax) return { columns, rows, isTruncated: true }
          const values = row.map((value, i) => converters[i]!(value))
          for (const value of values) chars += typeof value === 'string' ? value.length : 8
          if (chars > ANSWER_CHARS_MAX)
            throw new StorageError('exhausted', 'the answer is too large: select less of it')
          rows.push(values)
        }
      }
    })
  }

  /** Ends what runs: it rejects with `aborted`. */
  interrupt(): void {
    if (!this.#isClosed) this.#connection.interrupt()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#connection.closeSync()
    this.#instance.closeSync()
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#statements.run(() => {
      if (this.#isClosed) throw new StorageError('aborted', 'the query has ended')
      return this.#guard(work)
    })
  }

  async #guard<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      throw engineError(error)
    }
  }
}

/** Files whose footers a spare engine has at hand: about a millisecond and half a MiB each. */
const WARM_FILES_MAX = 64

/** Keeps one engine ready, since making one takes longer than many a query, with the footers of the files used last. */
export class EngineMaker {
  readonly #threads: number
  /** Least recently used first. */
  readonly #files = new Set<string>()
  #spare: Promise<Engine> | undefined
  #isClosed = false

  constructor(threads: number) {
    this.#threads = threads
  }

  async take(options: EngineOptions): Promise<Engine> {
    const spare = this.#spare
    this.#spare = undefined
    const engine = (await spare?.catch(() => undefined)) ?? (await Engine.open(this.#threads))
    await engine.bound(options)
    return engine
  }

  /** To be called when there is time, with the files that were used. */
  prepare(files: readonly string[]): void {
    if (this.#isClosed) return
    for (const file of files) {
      this.#files.delete(file)
      this.#files.add(file)
    }
    for (const file of this.#files) {
      if (this.#files.size <= WARM_FILES_MAX) break
      this.#files.delete(file)
    }
    this.#spare ??= this.#openWarm()
    this.#spare.catch(() => undefined)
  }

  async #openWarm(): Promise<Engine> {
    const engine = await Engine.open(this.#threads)
    if (this.#files.size === 0) return engine
    const files = [...this.#files].map(quoteText).join(', ')
    // Files may be gone by now: then their footers are read by whoever needs them.
    await engine.rows(`select count(*) from parquet_file_metadata([${files}])`).catch(() => this.#files.clear())
    return engine
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const spare = await this.#spare?.catch(() => undefined)
    spare?.close()
  }
}

/** Parses statements; knows no tables and sees no files. */
export class SqlParser {
  readonly #connection: DuckDBConnection

  private constructor(connection: DuckDBConnection) {
    this.#connection = connection
  }

  static async open(): Promise<SqlParser> {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: '1',
      memory_limit: '256MiB',
      enable_external_access: 'false',
      lock_configuration: 'true',
    })
    return new SqlParser(await instance.connect())
  }

  /** The statement's tree, or the parser's complaint. */
  async parse(sql: string): Promise<unknown> {
    const result = await this.#connection.runAndReadAll('select json_serialize_sql($1::varchar)', [sql])
    return JSON.parse(String(result.getRows()[0]?.[0] ?? 'null')) as unknown
  }
}

/** `text` of the engine without the excerpt of the statement, which is not the user's own. */
export function engineError(error: unknown): StorageError {
  if (error instanceof StorageError) return error
  const text = errorText(error).split('\n\nLINE ')[0]!.trim()
  if (/^INTERRUPT Error/.test(text)) return new StorageError('aborted', 'query cancelled')
  if (/^Out of Memory Error/.test(text)) {
    return new StorageError('exhausted', `query needs more memory or disk than it may have: ${text.split('\n')[0]}`)
  }
  if (/^(IO|FATAL|INTERNAL|Serialization) Error/.test(text)) return new StorageError('unavailable', text)
  return new StorageError('invalid-input', text.replace(/^(\w+ )+Error: /, ''), {}, { cause: error })
}
