import * as fs from 'node:fs'
import { createRequire } from 'node:module'
import * as path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { assert } from '../base/assert.ts'
import { CorruptionError, StorageError } from '../base/errors.ts'
import { abortedError } from './node-errors.ts'
import type { TaskReply, TaskRequest, TaskWorkerData } from './worker-tasks.ts'
import type { Workers } from './workers.ts'

/** Tasks waiting for a thread; beyond it `run` rejects with `exhausted`. */
const QUEUED_TASKS_MAX = 4096

/**
 * Starts the worker entry `src/<name>.worker.ts`, for example `openWorker('fuse/fuse-reader')`. From a build it runs the
 * bundled `dist/<name>.worker.mjs`, from sources the TypeScript file under tsx.
 */
export function openWorker(name: string, options: WorkerOptions = {}): Worker {
  const { file } = programOf(`${name}.worker`)
  if (file.endsWith('.mjs')) return new Worker(file, options)
  // tsx leaves worker threads alone when it is loaded by --import, so the thread registers it before the entry.
  const tsxFolder = path.dirname(createRequire(import.meta.url).resolve('tsx/package.json'))
  const api = pathToFileURL(path.join(tsxFolder, 'dist/esm/api/index.mjs')).href
  const code = `import(${JSON.stringify(api)})
    .then(({ register }) => { register(); return import(${JSON.stringify(pathToFileURL(file).href)}) })
    .catch((error) => setImmediate(() => { throw error }))`
  return new Worker(code, { ...options, eval: true, execArgv: options.execArgv ?? [] })
}

/**
 * Where the program `name` ("main/safekeeper", "fuse/fuse-reader.worker") is, and the Node.js arguments it needs: the
 * bundle beside this one when this code was bundled, otherwise the TypeScript source under tsx.
 */
export function programOf(name: string): { file: string; execArgv: string[] } {
  const here = fileURLToPath(import.meta.url)
  const root = folderAbove(here)
  if (path.basename(root) === 'dist') return { file: path.join(root, `${name}.mjs`), execArgv: [] }
  const file = path.join(root, `${name}.ts`)
  if (!fs.existsSync(file)) throw new StorageError('invalid-input', 'no such program', { name, file })
  // An absolute URL: `--import tsx` alone would be looked up from the current folder of the process.
  const tsx = pathToFileURL(createRequire(here).resolve('tsx')).href
  return { file, execArgv: ['--import', tsx] }
}

function folderAbove(file: string): string {
  for (let folder = path.dirname(file); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    if (path.basename(folder) === 'dist' || path.basename(folder) === 'src') return folder
  }
  throw new StorageError('invalid-input', 'program runs neither from src/ nor from dist/', { file })
}

interface Task {
  readonly request: Omit<TaskRequest, 'id'>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  isDone: boolean
}

interface Slot {
  worker: Worker | undefined
  task: { id: number; task: Task } | undefined
}

export interface WorkerPoolOptions {
  readonly name: string
  readonly threadCount: number
  /** Scheduling priority of the threads, 0 (as the process) to 19 (last): where the system has one for threads. */
  readonly niceness?: number
  readonly workerOptions?: WorkerOptions
}

/** A pool of threads over one worker entry that calls `serveTasks` (worker-tasks.ts). Threads start when first needed. */
export function openWorkerPool(options: WorkerPoolOptions): Workers {
  assert(options.threadCount > 0, 'a worker pool needs a thread')
  const slots: Slot[] = Array.from({ length: options.threadCount }, () => ({ worker: undefined, task: undefined }))
  const queue: Task[] = []
  let nextId = 1
  let isClosed = false

  function dispatch(): void {
    for (const slot of slots) {
      if (slot.task) continue
      let task = queue.shift()
      while (task?.isDone) task = queue.shift()
      if (!task) return
      const id = nextId++
      slot.task = { id, task }
      slot.worker ??= start(slot)
      try {
        slot.worker.postMessage({ id, ...task.request } satisfies TaskRequest)
      } catch (error) {
        slot.task = undefined
        task.isDone = true
        task.reject(error instanceof Error ? error : new Error(String(error)))
      }
    }
  }

  function start(slot: Slot): Worker {
    const workerData: TaskWorkerData = { niceness: options.niceness ?? 0 }
    const worker = openWorker(options.name, { ...options.workerOptions, workerData })
    worker.unref()
    worker.on('message', (reply: TaskReply) => {
      const running = slot.task
      if (!running || running.id !== reply.id) return
      slot.task = undefined
      const { task } = running
      if (!task.isDone) {
        task.isDone = true
        if (reply.ok) task.resolve(reply.result)
        else if (reply.code === 'corruption') task.reject(new CorruptionError(reply.message, reply.fields))
        else task.reject(new StorageError(reply.code, reply.message, reply.fields))
      }
      dispatch()
    })
    const onDeath = (error: Error) => {
      if (slot.worker !== worker) return
      slot.worker = undefined
      const running = slot.task
      slot.task = undefined
      if (running && !running.task.isDone) {
        running.task.isDone = true
        running.task.reject(
          new StorageError('unavailable', `worker died: ${error.message}`, { name: options.name }, { cause: error }),
        )
      }
      if (!isClosed) dispatch()
    }
    worker.on('error', onDeath)
    worker.on('exit', (code) => onDeath(new Error(`exit code ${code}`)))
    return worker
  }

  return {
    run<Payload, Result>(task: string, payload: Payload, runOptions: { signal?: AbortSignal } = {}): Promise<Result> {
      const { signal } = runOptions
      if (isClosed) return Promise.reject(new StorageError('aborted', 'worker pool is closed', { name: options.name }))
      if (signal?.aborted) return Promise.reject(abortedError('run task'))
      if (queue.length >= QUEUED_TASKS_MAX) {
        return Promise.reject(new StorageError('exhausted', 'too many queued tasks', { name: options.name }))
      }
      return new Promise<Result>((resolve, reject) => {
        const entry: Task = {
          request: { task, payload },
          // The worker entry and its callers share the task's types; the channel does not carry them.
          resolve: (value) => resolve(value as Result),
          reject,
          isDone: false,
        }
        signal?.addEventListener(
          'abort',
          () => {
            if (entry.isDone) return
            entry.isDone = true
            reject(abortedError('run task'))
          },
          { once: true },
        )
        queue.push(entry)
        dispatch()
      })
    },

    async close(): Promise<void> {
      isClosed = true
      const closed = new StorageError('aborted', 'worker pool is closed', { name: options.name })
      for (const task of queue.splice(0)) if (!task.isDone) task.reject(closed)
      await Promise.all(
        slots.map(async (slot) => {
          const { worker, task } = slot
          slot.worker = undefined
          slot.task = undefined
          if (task && !task.task.isDone) {
            task.task.isDone = true
            task.task.reject(closed)
          }
          await worker?.terminate()
        }),
      )
    },
  }
}
