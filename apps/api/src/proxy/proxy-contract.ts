import { z } from 'zod'

/**
 * What the Postgres proxy and the API say to each other: HTTP with JSON bodies on loopback, bearer internal token.
 *
 *   GET  /internal/proxy/route?endpoint=&user=&database=[&lsn=|&timestamp=]   -> RouteAnswer     before the log-in
 *   POST /internal/proxy/wake         WakeRequest                             -> WakeAnswer      after the proof of the password
 *   POST /internal/proxy/connections  ConnectionsReport                       -> ConnectionsAnswer   every few seconds
 *
 * Every refusal is a status of 400 and above with a ProxyProblem as body. The API serves; the proxy checks what it gets
 * with the same schemas, and the API what it is sent.
 */

export const PROXY_ROUTE_PATH = '/internal/proxy/route'
export const PROXY_WAKE_PATH = '/internal/proxy/wake'
export const PROXY_CONNECTIONS_PATH = '/internal/proxy/connections'

/** Connections of an endpoint whose route names no limit. */
export const ENDPOINT_CONNECTIONS_DEFAULT = 100

const text = (lengthMax: number) => z.string().min(1).max(lengthMax)

export const computeAddress = z.object({
  host: text(255),
  port: z.number().int().min(1).max(65_535),
})
export type ComputeAddress = z.infer<typeof computeAddress>

/** Query string of the route call. Names are as the client sent them: never trusted, at most 63 bytes each but for `endpoint`. */
export const routeQuery = z.object({
  /** First label of the host, or of the option: an endpoint's id or name, or a branch's id. */
  endpoint: text(128),
  user: text(128),
  database: text(128),
  /** `neon_lsn` option: a read-only look at the branch at this position, as in "0/16B3748". */
  lsn: text(32).optional(),
  /** `neon_timestamp` option: the same at a moment, ISO 8601. */
  timestamp: text(64).optional(),
})
export type RouteQuery = z.infer<typeof routeQuery>

export const endpointState = z.enum(['init', 'active', 'idle', 'disabled'])

export const routeAnswer = z.object({
  /**
   * What wake and the report of connections name. For an endpoint its id. For a point in time whatever the API chose
   * (stable for one branch and position): the proxy does not look into it, and shares wakes and limits by it.
   */
  endpointId: text(200),
  projectId: text(128),
  branchId: text(128),
  /** `disabled`: the owner switched it off, no connection wakes it. */
  state: endpointState,
  /** Where its Postgres listens, while it runs. The proxy then goes there without a wake, and wakes when nobody answers. */
  address: computeAddress.nullable(),
  /** `rolpassword` of the role, as Postgres keeps it: "SCRAM-SHA-256$4096:salt$StoredKey:ServerKey". Null: no such role, or no password. */
  verifier: z.string().max(512).nullable(),
  limits: z.object({
    /** Client connections at one time, all proxies together as far as the API knows. */
    connectionsMax: z.number().int().min(1).max(100_000),
    /** A connection on which no byte moves this long is closed; 0 never. */
    idleTimeoutMs: z.number().int().min(0),
  }),
})
export type RouteAnswer = z.infer<typeof routeAnswer>

export const wakeRequest = z.object({
  endpointId: text(200),
  /** For the wake ledger. */
  cause: z.object({
    kind: z.literal('connect'),
    user: text(128),
    database: text(128),
    /** As the proxy sees it: "192.0.2.7:51234". */
    clientAddress: z.string().max(128),
    applicationName: z.string().max(128).nullable(),
    proxyId: text(64),
  }),
  /** The address at which nobody answered, when the endpoint was said to run there: the API must not answer the same again without a look. */
  deadAddress: computeAddress.nullable(),
})
export type WakeRequest = z.infer<typeof wakeRequest>

/** Sent when Postgres accepts connections there; the call takes as long as the start does. */
export const wakeAnswer = computeAddress
export type WakeAnswer = z.infer<typeof wakeAnswer>

export const connectionsReport = z.object({
  /** One per start of a proxy process: 16 hex digits. A report replaces the last one of the same proxy. */
  proxyId: text(64),
  endpoints: z
    .array(
      z.object({
        endpointId: text(200),
        /** Log-ins accepted and not yet closed. */
        connections: z.number().int().min(0),
        /** Of those, how many moved a byte since the last report. */
        activeConnections: z.number().int().min(0),
        /** When a byte last moved on any of them, milliseconds since 1970; null: none yet. */
        lastActivityMs: z.number().int().nullable(),
        /** Since the last report, both directions. */
        bytesFromClients: z.number().int().min(0),
        bytesToClients: z.number().int().min(0),
      }),
    )
    .max(10_000),
})
export type ConnectionsReport = z.infer<typeof connectionsReport>

export const connectionsAnswer = z.object({
  /**
   * Where the reported endpoints run now, for those the API knows. The proxy closes sessions that lie elsewhere: a
   * compute that was replaced must not go on serving reads of its past. Null: it does not run, all its sessions close.
   */
  current: z.array(z.object({ endpointId: text(200), address: computeAddress.nullable() })),
})
export type ConnectionsAnswer = z.infer<typeof connectionsAnswer>

/**
 * Why a call is refused; the client of Postgres sees the message and a SQLSTATE made from the code.
 *   endpoint_not_found  no such endpoint, branch or position; also for what the caller may not know
 *   endpoint_disabled   switched off by its owner
 *   out_of_range        the asked LSN or time is outside the branch's history, or no such time or LSN could be read
 *   quota_exceeded      the project has used up what it may
 *   too_many            too many starts at once: try again
 *   unavailable         the start failed or took too long
 *   invalid_input       a field is wrong; the message names it
 *   unauthorized        the internal token is wrong
 */
export const proxyProblemCode = z.enum([
  'endpoint_not_found',
  'endpoint_disabled',
  'out_of_range',
  'quota_exceeded',
  'too_many',
  'unavailable',
  'invalid_input',
  'unauthorized',
])
export type ProxyProblemCode = z.infer<typeof proxyProblemCode>

export const proxyProblem = z.object({ code: proxyProblemCode, message: z.string().min(1).max(2000) })
export type ProxyProblem = z.infer<typeof proxyProblem>
