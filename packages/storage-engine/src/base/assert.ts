/** A condition that only a bug in this code can break. Nobody catches an AssertionError to go on. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Throws when `condition` is false. Pass the message as a function where building it costs something. */
export function assert(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new AssertionError(typeof message === 'string' ? message : message())
}

/** Ends an exhaustive switch: a new member of the union stops the build here. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`)
}
