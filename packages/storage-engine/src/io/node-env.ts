import type { Env } from './env.ts'
import { nodeClock } from './node-clock.ts'
import { nodeDisk } from './node-disk.ts'
import { type LogLevel, openNodeLog } from './node-log.ts'
import { type NodeMetrics, openNodeMetrics } from './node-metrics.ts'
import { nodeNetwork } from './node-network.ts'
import { nodeRandom } from './node-random.ts'

export interface NodeEnv extends Env {
  readonly metrics: NodeMetrics
}

/** The production Env of one process. `name` goes into every log line. */
export function openNodeEnv(options: { name: string; logLevel?: LogLevel }): NodeEnv {
  return {
    clock: nodeClock,
    random: nodeRandom,
    disk: nodeDisk,
    network: nodeNetwork,
    log: openNodeLog({ name: options.name, ...(options.logLevel ? { level: options.logLevel } : {}) }),
    metrics: openNodeMetrics(),
  }
}
