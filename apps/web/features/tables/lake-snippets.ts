/** How programs outside read a published table: text to copy, with the address of the table in it. */

export const lakeReaders = ['duckdb', 'spark', 'python'] as const
export type LakeReader = (typeof lakeReaders)[number]

export const lakeReaderLabels: Record<LakeReader, string> = {
  duckdb: 'DuckDB',
  spark: 'Spark',
  python: 'Python (delta-rs)',
}

/** `uri`: an absolute folder, or `s3://bucket/key`. */
export function lakeSnippet(reader: LakeReader, uri: string): string {
  const isS3 = uri.startsWith('s3://')
  switch (reader) {
    case 'duckdb':
      return [
        'INSTALL delta; LOAD delta;',
        ...(isS3 ? ['CREATE SECRET (TYPE s3, PROVIDER credential_chain);'] : []),
        `SELECT * FROM delta_scan(${sqlText(uri)}) LIMIT 10;`,
      ].join('\n')
    case 'spark':
      return `spark.read.format("delta").load(${codeText(isS3 ? uri.replace(/^s3:/, 's3a:') : uri)}).show(10)`
    case 'python':
      return [
        'from deltalake import DeltaTable, QueryBuilder',
        '',
        `table = DeltaTable(${codeText(uri)})`,
        'QueryBuilder().register("t", table).execute("SELECT * FROM t LIMIT 10").read_all()',
      ].join('\n')
    default:
      return reader satisfies never
  }
}

function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A string of Python and Scala alike. */
function codeText(text: string): string {
  return JSON.stringify(text)
}
