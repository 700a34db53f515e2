import { openNodeEnv } from '../io/node-env.ts'
import { serveTasks } from '../io/worker-tasks.ts'
import { createFreshTask } from './fresh-tasks.ts'
import { type InspectLayerTask, inspectLayer } from './inspect-layer.ts'

const env = openNodeEnv({ name: 'query-decoder', logLevel: 'warn' })

serveTasks({
  // Asked of each thread at the start of the process, so that no query waits for its code.
  'warm-up': () => undefined,
  'fresh-rows': createFreshTask(env),
  'inspect-layer': (task: InspectLayerTask) => inspectLayer(env.disk, task),
})
