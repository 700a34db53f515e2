import type { Branch, Endpoint, Operation, Project } from '../../generated/prisma/client.ts'
import { FailureError, invalid, notFound, unwrap } from '../../shared/result.ts'
import type { RestCall } from './rest-route.ts'

type Call = Pick<RestCall, 'app' | 'services' | 'actor' | 'params'>

/** The project of the path. Throws NOT_FOUND also for one the caller may not see. */
export async function projectOf({ services, actor, params }: Call): Promise<Project> {
  return unwrap(await services.projects.get(actor, params['project_id'] ?? ''))
}

/** The branch of the path, which must be of the project of the path. */
export async function branchOf(call: Call): Promise<Branch & { project: Project }> {
  await projectOf(call)
  return branchIn(call, call.params['branch_id'] ?? '')
}

export async function branchIn(call: Call, branchId: string): Promise<Branch & { project: Project }> {
  const branch = unwrap(await call.services.branches.get(call.actor, branchId))
  if (branch.projectId !== call.params['project_id']) throw new FailureError(notFound('branch').error)
  return branch
}

export async function endpointOf(call: Call): Promise<Endpoint & { branch: Branch; project: Project }> {
  await projectOf(call)
  const endpoint = unwrap(await call.services.endpoints.get(call.actor, call.params['endpoint_id'] ?? ''))
  if (endpoint.projectId !== call.params['project_id']) throw new FailureError(notFound('endpoint').error)
  return endpoint
}

/** Undefined when `work` finds nothing: for what is already gone. */
export async function orGone<Value>(work: Promise<Value>): Promise<Value | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof FailureError && error.failure.code === 'NOT_FOUND') return undefined
    throw error
  }
}

/** A time of the public interface; `null` and absence stay as they are. */
export function timeOf<Given extends string | null | undefined>(
  field: string,
  text: Given,
): Date | Exclude<Given, string> {
  if (text === null || text === undefined) return text as Exclude<Given, string>
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw new FailureError(invalid(field, 'is not a time such as 2026-03-01T12:00:00Z').error)
  return new Date(ms)
}

/** The point that two fields name. Throws INVALID_INPUT when both are given. */
export function pointOf(
  fields: { lsn: string; time: string },
  lsn: string | undefined,
  time: string | undefined,
): { lsn?: string; time?: string } | null {
  if (lsn !== undefined && time !== undefined)
    throw new FailureError(invalid(fields.time, `give ${fields.lsn} or ${fields.time}, not both`).error)
  if (lsn !== undefined && !/^[a-fA-F0-9]{1,8}\/[a-fA-F0-9]{1,8}$/.test(lsn))
    throw new FailureError(invalid(fields.lsn, 'is not an LSN such as 0/16B3748').error)
  if (time !== undefined) timeOf(fields.time, time)
  return lsn !== undefined ? { lsn } : time !== undefined ? { time } : null
}

/** Failures about a point name it as services do: gives them the name of the field that held it. */
export async function namingPoint<Value>(
  fields: { lsn: string; time: string },
  at: object | null,
  work: Promise<Value>,
) {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof FailureError) || !/^(at|to|with): /.test(error.failure.message)) throw error
    const name = at !== null && 'time' in at ? fields.time : fields.lsn
    throw new FailureError({
      ...error.failure,
      field: name,
      message: `${name}: ${error.failure.message.replace(/^\w+: /, '')}`,
    })
  }
}

/** Waits for an operation that the answer must already show; gives up after a while: the client then polls. */
export async function settled(call: Pick<RestCall, 'app' | 'options'>, operations: readonly Operation[], kind: string) {
  const operation = operations.find((candidate) => candidate.kind === kind)
  if (!operation) return
  const signal = AbortSignal.any([call.options.signal, AbortSignal.timeout(SETTLE_MS_MAX)])
  await call.app.operations.waitForEnd(operation.id, signal).catch(() => undefined)
}

/** Below the minute after which the public command line gives a request up. */
const SETTLE_MS_MAX = 30_000
