const hiddenPassword = '••••••••'

/** The connection string with this password in it. */
export function uriWithPassword(uri: string, password: string): string {
  if (!URL.canParse(uri)) return uri
  const parsed = new URL(uri)
  parsed.password = encodeURIComponent(password)
  return parsed.toString()
}

/** The connection string as it may stand on a screen. */
export function uriHidden(uri: string): string {
  return uri.replace(/^(\w+:\/\/[^:@/]+)(?::[^@/]*)?@/, `$1:${hiddenPassword}@`)
}

/** The same connection as a psql call. Single quotes keep a shell from reading the query part. */
export function psqlLine(uri: string): string {
  return `psql '${uri.replaceAll("'", '%27')}'`
}

/** Lines for a .env file and for clients that take the parts one by one. */
export function environmentLines(connection: {
  host: string
  port: number
  database: string
  role: string
  uri: string
}): string {
  const options = URL.canParse(connection.uri) ? new URL(connection.uri).searchParams.get('options') : null
  return [
    `PGHOST=${connection.host}`,
    `PGPORT=${connection.port}`,
    `PGDATABASE=${connection.database}`,
    `PGUSER=${connection.role}`,
    'PGSSLMODE=require',
    ...(options === null ? [] : [`PGOPTIONS=${options}`]),
  ].join('\n')
}
