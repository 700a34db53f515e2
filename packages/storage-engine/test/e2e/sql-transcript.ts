import type pg from 'pg'
import type { SqlScript } from './sql-zoo.ts'

/** One line per statement: its rows as JSON, or the SQLSTATE it failed with. */
export async function transcript(client: pg.Client, script: SqlScript): Promise<string[]> {
  const lines: string[] = []
  for (const statement of script.statements) {
    const head = statement.replace(/\s+/g, ' ').slice(0, 60)
    try {
      const result = await client.query(statement)
      lines.push(`${head} => ${result.rowCount ?? 0} ${JSON.stringify(result.rows)}`)
    } catch (error) {
      lines.push(`${head} => error ${(error as { code?: string }).code ?? String(error)}`)
    }
  }
  return lines
}
