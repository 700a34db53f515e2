import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import type { DatabaseSpec, RoleSpec } from '../protocol/compute-control.ts'
import type { PostgresConnection } from './postgres-connection.ts'

/**
 * Applies roles and databases as SQL over the private socket. Each step first looks whether there is something to do, so
 * that a start which changes nothing writes nothing.
 */
export async function ensurePassword(connection: PostgresConnection, role: string, password: string): Promise<void> {
  const [row] = await connection.query(`SELECT rolpassword FROM pg_authid WHERE rolname = ${literal(role)}`)
  if (row?.[0] && scramMatches(row[0], password)) return
  await connection.query(`ALTER ROLE ${identifier(role)} PASSWORD ${literal(password)}`)
}

/**
 * Lets nobody but a superuser break another session's wait for the quorum (pg_cancel_backend on a session of the same
 * role would). Once per database, since the grant is in each catalog.
 */
export async function revokeSignalFunctions(connection: PostgresConnection): Promise<void> {
  const [row] = await connection.query(
    `SELECT has_function_privilege('public', 'pg_cancel_backend(int)', 'execute')
         OR has_function_privilege('public', 'pg_terminate_backend(int, bigint)', 'execute')`,
  )
  if (row?.[0] !== 't') return
  await connection.query(
    'REVOKE EXECUTE ON FUNCTION pg_cancel_backend(int), pg_terminate_backend(int, bigint) FROM PUBLIC',
  )
}

export async function applyRole(connection: PostgresConnection, role: RoleSpec): Promise<void> {
  const [row] = await connection.query(`SELECT 1 FROM pg_roles WHERE rolname = ${literal(role.name)}`)
  if (role.drop) {
    if (row) await connection.query(`DROP ROLE ${identifier(role.name)}`)
    return
  }
  if (!row) await connection.query(`CREATE ROLE ${identifier(role.name)} LOGIN`)
  if (role.password !== undefined) await ensurePassword(connection, role.name, role.password)
}

export async function applyDatabase(connection: PostgresConnection, database: DatabaseSpec): Promise<void> {
  const [row] = await connection.query(
    `SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = ${literal(database.name)}`,
  )
  const name = identifier(database.name)
  if (database.drop) {
    if (row) await connection.query(`DROP DATABASE ${name} WITH (FORCE)`)
    return
  }
  const owner = database.owner === undefined ? '' : ` OWNER ${identifier(database.owner)}`
  if (!row) await connection.query(`CREATE DATABASE ${name}${owner}`)
  else if (database.owner !== undefined && row[0] !== database.owner) {
    await connection.query(`ALTER DATABASE ${name} OWNER TO ${identifier(database.owner)}`)
  }
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function literal(text: string): string {
  const escaped = text.replaceAll("'", "''")
  return text.includes('\\') ? ` E'${escaped.replaceAll('\\', '\\\\')}'` : `'${escaped}'`
}

/** SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey> (src/common/scram-common.c, PG 18). */
export function scramMatches(verifier: string, password: string): boolean {
  const match = /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):/.exec(verifier)
  if (!match) return false
  const salted = pbkdf2Sync(password, Buffer.from(match[2]!, 'base64'), Number(match[1]), 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  return createHash('sha256').update(clientKey).digest('base64') === match[3]
}
