import { parentPort, workerData } from 'node:worker_threads'
import { type ErrorFields, errorText, StorageError, type StorageErrorCode } from '../base/errors.ts'
import { lowerThreadPriority } from './node-priority.ts'

export interface TaskRequest {
  readonly id: number
  readonly task: string
  readonly payload: unknown
}

export type TaskReply =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | {
      readonly id: number
      readonly ok: false
      readonly code: StorageErrorCode
      readonly message: string
      readonly fields: ErrorFields
    }

// biome-ignore lint/suspicious/noExplicitAny: the payload's type is agreed between the entry and its callers
export type TaskTable = Readonly<Record<string, (payload: any) => unknown>>

export interface TaskWorkerData {
  readonly niceness: number
}

/** The worker's half of `openWorkerPool`: a worker entry file calls this once with its tasks. */
export function serveTasks(tasks: TaskTable): void {
  if (!parentPort) throw new StorageError('invalid-input', 'not running as a worker thread')
  const port = parentPort
  const { niceness } = (workerData ?? { niceness: 0 }) as TaskWorkerData
  lowerThreadPriority(niceness)
  port.on('message', (request: TaskRequest) => {
    void answer(tasks, request).then((reply) => port.postMessage(reply, transferable(reply)))
  })
}

async function answer(tasks: TaskTable, request: TaskRequest): Promise<TaskReply> {
  const { id, task } = request
  try {
    const run = tasks[task]
    if (!run) throw new StorageError('invalid-input', 'no such task', { task })
    return { id, ok: true, result: await run(request.payload) }
  } catch (error) {
    if (error instanceof StorageError) {
      return { id, ok: false, code: error.code, message: error.reason, fields: error.fields }
    }
    const message = `task ${task} failed: ${errorText(error)}`
    return { id, ok: false, code: 'unavailable', message, fields: {} }
  }
}

/** A result that is one whole buffer moves to the caller instead of being copied. */
function transferable(reply: TaskReply): ArrayBuffer[] {
  if (!reply.ok || !(reply.result instanceof Uint8Array)) return []
  const { buffer, byteLength } = reply.result
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : []
}
