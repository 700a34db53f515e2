import { openNodeEnv } from '../io/node-env.ts'
import { serveTasks } from '../io/worker-tasks.ts'
import { createFreshTask } from './fresh-tasks.ts'

serveTasks({ 'fresh-rows': createFreshTask(openNodeEnv({ name: 'query-decoder', logLevel: 'warn' })) })
