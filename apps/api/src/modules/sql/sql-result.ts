export interface ResultColumn {
  readonly name: string
  readonly type: string
}

export interface StatementResult {
  readonly command: string
  readonly rowCount: number | null
  readonly columns: readonly ResultColumn[]
  readonly rows: readonly (readonly (string | null)[])[]
  readonly truncated: boolean
  readonly durationMs: number
  readonly notices: readonly string[]
  readonly plan: unknown
}

export interface SqlError {
  readonly message: string
  readonly sqlState: string | null
  /** Character of the text that was sent, from 1. */
  readonly position: number | null
  readonly hint: string | null
  readonly detail: string | null
}

export interface SqlReceipt {
  readonly branchId: string
  readonly lsn: string
  readonly commitTime: Date | null
  readonly lagBytes: bigint | null
  readonly layersRead: number
  readonly rowsFromColumns: bigint
  readonly rowsFresh: bigint
  readonly dirtyBlocks: bigint | null
  readonly steps: readonly { readonly name: string; readonly ms: number }[]
}

export interface SqlResult {
  readonly queryId: string
  readonly engine: 'POSTGRES' | 'ANALYTICS'
  readonly statements: readonly StatementResult[]
  readonly receipt: SqlReceipt | null
  readonly error: SqlError | null
  readonly durationMs: number
}
