/** Between the PageServer, which makes the data files of a Delta table, and the writer of its log. */
export interface PublishedColumn {
  readonly physicalName: string
  readonly number: number
  readonly name: string
  readonly deltaType: string
  readonly isList: boolean
}

export interface PublishedBounds {
  readonly nullCount: number
  /** As JSON of a Delta log. */
  readonly min?: string | number
  readonly max?: string | number
}

/** One data file as a version of the table is to show it. */
export interface PublishedFile {
  readonly objectKey: string
  readonly sizeBytes: number
  readonly rowCount: number
  /** Positions of rows to mask, ascending; undefined: as in the last version, if the file was in it. */
  readonly deadRows: Uint32Array | undefined
  /** False: a transaction in progress may change which rows are visible. */
  readonly isSettled: boolean
  /** Of the file's columns, by physical name; undefined: as in the last version, if the file was in it. */
  readonly bounds?: Readonly<Record<string, PublishedBounds>>
  /** LSN of the pages in the file, as text. */
  readonly lsn: string
}

export interface TablePublication {
  /** Key prefix of the table; ends in '/'. */
  readonly prefix: string
  /** `schema.name`. */
  readonly name: string
  readonly tableOid: number
  readonly timelineId: string
  readonly columns: readonly PublishedColumn[]
  readonly files: readonly PublishedFile[]
  /** The version shows what is visible at this LSN. */
  readonly lsn: number
  /** ISO 8601; null: unknown. */
  readonly commitTime: string | null
  /** Versions stay readable this long after they were replaced. */
  readonly retentionMs: number
}

/** A Delta table as its newest version is. */
export interface PublishedState {
  readonly version: number
  readonly name: string
  readonly lsn: number
  readonly files: readonly {
    readonly objectKey: string
    readonly sizeBytes: number
    readonly physicalRows: number
    readonly maskedRows: number
    readonly isSettled: boolean
  }[]
}

/** The only writer of Delta logs. Implemented in delta-writer/. */
export interface DeltaPublisher {
  /** Undefined: the table was never published. */
  state(prefix: string): Promise<PublishedState | undefined>
  /** Commits a version unless the newest one shows the same. Throws `conflict` for an LSN before the newest version's. */
  publish(table: TablePublication): Promise<{ readonly version: number; readonly isNewVersion: boolean }>
  /** Objects that versions of the table younger than `sinceMs` (Unix time) need, and the keys of its folder's log. */
  neededKeys(prefix: string, sinceMs: number): Promise<ReadonlySet<string>>
  /**
   * Keys of the table's log, in the order in which they are to go, that no version needs which was the newest one at
   * `sinceMs` (Unix time) or later.
   */
  removableLogKeys(prefix: string, sinceMs: number): Promise<readonly string[]>
  /** Drops what is remembered of a table that is being removed. */
  forget(prefix: string): void
}
