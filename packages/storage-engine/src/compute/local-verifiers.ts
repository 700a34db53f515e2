import type { PostgresConnection } from './postgres-connection.ts'
import { identifier, literal, scramMatches } from './role-setup.ts'

/**
 * The statements that make today's passwords work on a compute that shows an old LSN: for roles that were there then and
 * had another verifier. Empty when there is nothing to do.
 */
export async function verifierStatements(
  connection: PostgresConnection,
  wanted: { superuserPassword: string; roleVerifiers: Readonly<Record<string, string>> },
): Promise<string[]> {
  const rows = await connection.query('SELECT rolname, rolpassword FROM pg_authid')
  const statements: string[] = []
  for (const [name, stored] of rows) {
    if (name === null || name === undefined) continue
    const verifier = Object.hasOwn(wanted.roleVerifiers, name) ? wanted.roleVerifiers[name] : undefined
    if (name === 'postgres') {
      if (stored && scramMatches(stored, wanted.superuserPassword)) continue
      statements.push(`ALTER ROLE ${identifier(name)} PASSWORD ${literal(wanted.superuserPassword)}`)
    } else if (verifier !== undefined && stored !== verifier) {
      statements.push(`ALTER ROLE ${identifier(name)} PASSWORD ${literal(verifier)}`)
    }
  }
  return statements
}
