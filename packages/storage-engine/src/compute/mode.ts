import { StorageError } from '../base/errors.ts'

/** `fuse`: pages on demand through a mount. `hydrate`: all of them before the start. */
export type ComputeMode = 'fuse' | 'hydrate'

/** Picks the mode and says why. `obstacle` is what stands against a mount here, or undefined. */
export function chooseMode(
  wanted: 'auto' | ComputeMode,
  obstacle: string | undefined,
): { mode: ComputeMode; reason: string } {
  switch (wanted) {
    case 'hydrate':
      return { mode: 'hydrate', reason: 'configured' }
    case 'fuse':
      if (obstacle) throw new StorageError('unsupported', `mode fuse is not possible: ${obstacle}`)
      return { mode: 'fuse', reason: 'configured' }
    case 'auto':
      return obstacle ? { mode: 'hydrate', reason: obstacle } : { mode: 'fuse', reason: 'FUSE mounts work here' }
    default:
      return wanted satisfies never
  }
}
