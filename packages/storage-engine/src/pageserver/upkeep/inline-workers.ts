import { StorageError } from '../../base/errors.ts'
import type { Disk } from '../../io/disk.ts'
import type { Workers } from '../../io/workers.ts'
import type { ValueSemantics } from '../timeline/timeline-storage.ts'
import { upkeepTasks } from './upkeep-tasks.ts'

/** Runs upkeep on the calling thread: for the simulator, and for processes too small for a worker pool. */
export function openInlineUpkeepWorkers(disk: Disk, materialize: ValueSemantics['materialize']): Workers {
  const tasks: Readonly<Record<string, unknown>> = upkeepTasks(disk, materialize)
  return {
    async run<Payload, Result>(task: string, payload: Payload): Promise<Result> {
      const run = tasks[task]
      if (typeof run !== 'function') throw new StorageError('invalid-input', 'no such task', { task })
      // The task's name decides the types of payload and result; the seam does not carry them.
      return (run as (payload: Payload) => Result)(payload)
    },
    close: () => Promise.resolve(),
  }
}
