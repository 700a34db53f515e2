import type pg from 'pg'
import type { App } from '../app.ts'
import { isScramVerifier } from '../shared/scram.ts'
import { type PostgresAddress, withSuperuser } from './compute-control.ts'

/** What every role made here may do besides: read and write all data of its branch, and look at activity. */
const ROLE_MEMBERSHIPS = 'pg_monitor, pg_read_all_data, pg_write_all_data'

interface RoleInPostgres {
  readonly name: string
  readonly verifier: string | null
  readonly can_login: boolean
}

interface DatabaseInPostgres {
  readonly name: string
  readonly owner: string
}

/**
 * Brings roles and databases of a branch's Postgres and of the catalog together: what the catalog has and Postgres was not
 * told yet is made there; then the catalog takes over what people did by SQL. Writes nothing in Postgres when all is as it
 * should be. Idempotent. Read-only computes are only read.
 */
export async function applyBranchConfig(
  app: App,
  target: {
    readonly branchId: string
    readonly address: PostgresAddress
    readonly password: string
    readonly isReadOnly: boolean
  },
): Promise<void> {
  const { branchId } = target
  const [roles, databases] = await Promise.all([
    app.database.role.findMany({ where: { branchId } }),
    app.database.database.findMany({ where: { branchId } }),
  ])
  const found = await withSuperuser(target.address, target.password, 'postgres', async (client) => {
    const before = await readConfig(client)
    if (target.isReadOnly) return before
    let isChanged = false
    for (const role of roles.filter(({ isApplied }) => !isApplied)) {
      const existing = before.roles.find(({ name }) => name === role.name)
      if (existing && existing.verifier === role.verifier) continue
      await applyRole(client, role.name, role.verifier, existing !== undefined)
      isChanged = true
    }
    for (const database of databases.filter(({ isApplied }) => !isApplied)) {
      const existing = before.databases.find(({ name }) => name === database.name)
      if (existing?.owner === database.ownerName) continue
      const [name, owner] = [quoteName(database.name), quoteName(database.ownerName)]
      if (existing) await client.query(`ALTER DATABASE ${name} OWNER TO ${owner}`)
      else await client.query(`CREATE DATABASE ${name} OWNER ${owner}`)
      isChanged = true
    }
    return isChanged ? await readConfig(client) : before
  })
  if (!target.isReadOnly) await takeOver(app, branchId, found, roles, databases)
}

/** Whether the catalog has roles or databases of the branch that its Postgres was not told of. */
export async function hasUnapplied(app: App, branchId: string): Promise<boolean> {
  const where = { branchId, isApplied: false }
  const [roles, databases] = await Promise.all([
    app.database.role.count({ where }),
    app.database.database.count({ where }),
  ])
  return roles + databases > 0
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteText(text: string): string {
  const escaped = text.replaceAll("'", "''")
  return text.includes('\\') ? ` E'${escaped.replaceAll('\\', '\\\\')}'` : `'${escaped}'`
}

export async function applyRole(
  client: pg.Client,
  name: string,
  verifier: string | null,
  exists: boolean,
): Promise<void> {
  const password = verifier === null ? 'NULL' : quoteText(verifier)
  if (exists) {
    await client.query(`ALTER ROLE ${quoteName(name)} PASSWORD ${password}`)
    return
  }
  await client.query(
    `BEGIN;
     CREATE ROLE ${quoteName(name)} LOGIN CREATEDB CREATEROLE PASSWORD ${password};
     GRANT ${ROLE_MEMBERSHIPS} TO ${quoteName(name)};
     COMMIT`,
  )
}

async function readConfig(client: pg.Client): Promise<{ roles: RoleInPostgres[]; databases: DatabaseInPostgres[] }> {
  const roles = await client.query<RoleInPostgres>(
    `SELECT rolname AS name, rolpassword AS verifier, rolcanlogin AS can_login FROM pg_authid
      WHERE rolname !~ '^pg_' AND rolname <> 'postgres'`,
  )
  const databases = await client.query<DatabaseInPostgres>(
    `SELECT datname AS name, pg_get_userbyid(datdba) AS owner FROM pg_database
      WHERE NOT datistemplate AND datname <> 'postgres' AND datconnlimit <> -2`,
  )
  return { roles: roles.rows, databases: databases.rows }
}

/** The catalog follows Postgres, except in what is still to be applied. */
async function takeOver(
  app: App,
  branchId: string,
  found: { roles: readonly RoleInPostgres[]; databases: readonly DatabaseInPostgres[] },
  knownRoles: readonly { name: string; verifier: string | null; isApplied: boolean }[],
  knownDatabases: readonly { name: string; ownerName: string; isApplied: boolean }[],
): Promise<void> {
  for (const { name, verifier: text } of found.roles) {
    const verifier = text !== null && isScramVerifier(text) ? text : null
    const known = knownRoles.find((role) => role.name === name)
    if (known?.isApplied && known.verifier === verifier) continue
    await app.database.role.upsert({
      where: { branchId_name: { branchId, name } },
      create: { branchId, name, verifier, isApplied: true },
      // A password that somebody changed by SQL is not the one we keep a copy of.
      update: { verifier, isApplied: true, ...(known?.verifier === verifier ? {} : { passwordSealed: null }) },
    })
  }
  const goneRoles = knownRoles.filter(({ name }) => !found.roles.some((role) => role.name === name))
  if (goneRoles.length > 0)
    await app.database.role.deleteMany({
      where: { branchId, isApplied: true, name: { in: goneRoles.map(({ name }) => name) } },
    })

  for (const { name, owner } of found.databases) {
    const known = knownDatabases.find((database) => database.name === name)
    if (known?.isApplied && known.ownerName === owner) continue
    await app.database.database.upsert({
      where: { branchId_name: { branchId, name } },
      create: { branchId, name, ownerName: owner, isApplied: true },
      update: { ownerName: owner, isApplied: true },
    })
  }
  const goneDatabases = knownDatabases.filter(({ name }) => !found.databases.some((database) => database.name === name))
  if (goneDatabases.length > 0)
    await app.database.database.deleteMany({
      where: { branchId, isApplied: true, name: { in: goneDatabases.map(({ name }) => name) } },
    })
}
