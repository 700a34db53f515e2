import { ProxyError, SQLSTATE } from './wire.ts'

/**
 * Which endpoint a client means. In this order, and all that are given must agree:
 *
 *   1. TLS server name      <label>.<public host>, or any name whose first label starts with ep- or br-
 *   2. startup `options`    endpoint=<label> (also project=, --endpoint=, and %3D for =)
 *   3. user name            <role>@<label>, only when neither of the others names one
 *
 * A label is an endpoint's id or name, or a branch's id, and may end with -pooler. `options` may also hold neon_lsn:<lsn> or neon_timestamp:<time>:
 * a look at the branch as it was. What is ours is cut out before the compute sees it.
 */
export interface EndpointAddress {
  /** Lower case, without `-pooler`. */
  readonly label: string
  /** The name ended with `-pooler`: the session goes through the endpoint's pool. */
  readonly isPooled: boolean
  readonly user: string
  readonly database: string
  readonly lsn: string | undefined
  readonly timestamp: string | undefined
  /** For the compute: `user`, `database` and `options` as it is to see them, all others as the client sent them. */
  readonly parameters: ReadonlyMap<string, string>
}

export interface AddressSources {
  readonly serverName: string | undefined
  /** Host below which endpoint names lie, as in connection strings; undefined: only ep- and br- labels count. */
  readonly publicHost: string | undefined
  readonly parameters: ReadonlyMap<string, string>
}

/** NAMEDATALEN - 1: Postgres cuts longer names of roles and databases. */
const NAME_BYTES_MAX = 63
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const POOLER_SUFFIX = '-pooler'

const HOW_TO_NAME =
  'Connect to the host <endpoint>.<domain> over TLS, or add options=endpoint%3D<endpoint> to the connection string, ' +
  'or use <role>@<endpoint> as the user name.'

/** Throws ProxyError: 08004 no endpoint or two, 28000 no user, 0A000 what is not offered, 22023 a bad value. */
export function resolveEndpointAddress(sources: AddressSources): EndpointAddress {
  const { parameters } = sources
  const fullUser = parameters.get('user') ?? ''
  if (fullUser === '')
    throw new ProxyError(SQLSTATE.invalidAuthorization, 'no PostgreSQL user name specified in startup packet')
  if (isTurnedOn(parameters.get('replication')))
    throw new ProxyError(SQLSTATE.featureNotSupported, 'replication connections are not offered')

  const options = splitOptions(parameters.get('options') ?? '')
  const fromHost = labelOfHost(sources.serverName, sources.publicHost)
  const named = [...new Set([...(fromHost === undefined ? [] : [fromHost]), ...options.labels])]
  if (named.length > 1)
    throw new ProxyError(SQLSTATE.connectionRejected, 'the connection names different endpoints', {
      detail: named.join(', '),
      hint: 'The TLS host name and options=endpoint must name the same endpoint.',
    })
  const fromUser = named.length === 0 ? splitUser(fullUser) : undefined
  const name = named[0] ?? fromUser?.label
  if (name === undefined)
    throw new ProxyError(SQLSTATE.connectionRejected, 'the connection names no endpoint', { hint: HOW_TO_NAME })
  checkLabel(name)
  const isPooled = name.endsWith(POOLER_SUFFIX)
  if (isPooled) checkPooled(options)

  const user = fromUser?.user ?? fullUser
  const database = parameters.get('database') || user
  checkName('user name', user)
  checkName('database name', database)
  return {
    label: isPooled ? name.slice(0, -POOLER_SUFFIX.length) : name,
    isPooled,
    user,
    database,
    lsn: options.lsn,
    timestamp: options.timestamp,
    parameters: forCompute(parameters, { user, database, options: options.rest }),
  }
}

function labelOfHost(serverName: string | undefined, publicHost: string | undefined): string | undefined {
  if (serverName === undefined) return undefined
  const name = serverName.toLowerCase().replace(/\.$/, '')
  const dot = name.indexOf('.')
  const [label, rest] = dot < 0 ? [name, ''] : [name.slice(0, dot), name.slice(dot + 1)]
  if (publicHost !== undefined && rest === publicHost.toLowerCase()) return label
  return /^(ep|br)-/.test(label) ? label : undefined
}

/** The last @ divides: role names may hold one themselves. */
function splitUser(fullUser: string): { user: string; label: string } | undefined {
  const at = fullUser.lastIndexOf('@')
  if (at <= 0) return undefined
  const label = fullUser.slice(at + 1).toLowerCase()
  return LABEL.test(label) ? { user: fullUser.slice(0, at), label } : undefined
}

interface SplitOptions {
  readonly labels: readonly string[]
  readonly lsn: string | undefined
  readonly timestamp: string | undefined
  readonly rest: string
}

/** Postgres splits at white space that no backslash precedes (pg_split_opts); what is not ours is kept as written. */
function splitOptions(text: string): SplitOptions {
  const labels: string[] = []
  const rest: string[] = []
  let lsn: string | undefined
  let timestamp: string | undefined
  for (const token of text.match(/(?:\\.|\S)+/gs) ?? []) {
    const match = /^(?:--)?(endpoint|project|neon_lsn|neon_timestamp)(?:=|:|%3[Aa]|%3[Dd])(.*)$/s.exec(token)
    if (!match) {
      rest.push(token)
      continue
    }
    const value = decodePercent(match[2] ?? '')
    if (value === '') throw new ProxyError(SQLSTATE.invalidParameter, `option ${match[1]} has no value`)
    if (match[1] === 'neon_lsn') lsn = value
    else if (match[1] === 'neon_timestamp') timestamp = value
    else labels.push(value.toLowerCase())
  }
  if (lsn !== undefined && timestamp !== undefined)
    throw new ProxyError(SQLSTATE.invalidParameter, 'give neon_lsn or neon_timestamp, not both')
  if (lsn !== undefined && !/^[0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8}$/.test(lsn))
    throw new ProxyError(SQLSTATE.invalidParameter, 'option neon_lsn is not an LSN such as 0/16B3748')
  if (timestamp !== undefined && (timestamp.length > 64 || Number.isNaN(Date.parse(timestamp))))
    throw new ProxyError(SQLSTATE.invalidParameter, 'option neon_timestamp is not a time such as 2026-03-01T12:00:00Z')
  return { labels, lsn, timestamp, rest: rest.join(' ') }
}

function decodePercent(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

function checkLabel(label: string): void {
  if (!LABEL.test(label))
    throw new ProxyError(SQLSTATE.connectionRejected, 'the name of the endpoint has characters that no endpoint has', {
      hint: HOW_TO_NAME,
    })
}

/** Sessions of a pool share connections: what a start-up packet sets there would be everybody's. */
function checkPooled({ lsn, timestamp, rest }: SplitOptions): void {
  if (lsn !== undefined || timestamp !== undefined)
    throw new ProxyError(SQLSTATE.featureNotSupported, 'a look at the past is not pooled', {
      hint: `Connect to the same name without ${POOLER_SUFFIX}.`,
    })
  if (rest !== '')
    throw new ProxyError(SQLSTATE.featureNotSupported, 'a pooled connection takes no settings in options', {
      detail: rest,
      hint: `Leave them out, set them for the role (ALTER ROLE … SET), or connect to the same name without ${POOLER_SUFFIX}.`,
    })
}

function checkName(what: string, name: string): void {
  if (Buffer.byteLength(name) > NAME_BYTES_MAX)
    throw new ProxyError(SQLSTATE.invalidAuthorization, `the ${what} is longer than ${NAME_BYTES_MAX} bytes`)
}

function forCompute(
  parameters: ReadonlyMap<string, string>,
  replaced: { user: string; database: string; options: string },
): Map<string, string> {
  const result = new Map(parameters)
  result.set('user', replaced.user)
  result.set('database', replaced.database)
  if (replaced.options === '') result.delete('options')
  else result.set('options', replaced.options)
  return result
}

/** As Postgres reads `replication`: a boolean, or the word database. */
function isTurnedOn(value: string | undefined): boolean {
  return value !== undefined && !/^(false|off|no|0|f|n)$/i.test(value)
}
