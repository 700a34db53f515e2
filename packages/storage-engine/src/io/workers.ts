/**
 * Heavy work away from the serving loop. A task is a named, pure-in-effect function `(payload) => result` that lives in a
 * worker entry file; payload and result are structured-clonable. Production runs it on a worker thread, the simulator
 * in place.
 */
export interface Workers {
  run<Payload, Result>(task: string, payload: Payload, options?: { signal?: AbortSignal }): Promise<Result>
  close(): Promise<void>
}
