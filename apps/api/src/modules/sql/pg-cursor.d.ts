declare module 'pg-cursor' {
  import type { Connection, QueryResult, Submittable } from 'pg'

  /** The part of pg-cursor that we use. */
  export default class Cursor implements Submittable {
    constructor(
      text: string,
      values: readonly unknown[],
      config: { rowMode?: 'array'; types?: { getTypeParser: () => (value: string) => unknown } },
    )
    submit(connection: Connection): void
    read(
      count: number,
      callback: (error: Error | undefined, rows: unknown[], result: QueryResult | undefined) => void,
    ): void
    close(): Promise<void>
  }
}
