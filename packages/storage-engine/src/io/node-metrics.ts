import * as prom from 'prom-client'
import { assert } from '../base/assert.ts'
import type { Counter, Gauge, Histogram, Metrics } from './metrics.ts'

export interface NodeMetrics extends Metrics {
  /** The Prometheus text format, version 0.0.4. */
  text(): Promise<string>
}

const namePattern = /^tributary_[a-z0-9]+(_[a-z0-9]+)+$/

/** A registry of its own, with Node.js's process figures (memory, event-loop lag). Asking twice for a name gives the same. */
export function openNodeMetrics(options: { isProcessIncluded?: boolean } = {}): NodeMetrics {
  const registry = new prom.Registry()
  if (options.isProcessIncluded ?? true) prom.collectDefaultMetrics({ register: registry })
  const counters = new Map<string, Counter>()
  const gauges = new Map<string, Gauge>()
  const histograms = new Map<string, Histogram>()

  const once = <T>(map: Map<string, T>, name: string, make: () => T): T => {
    const known = map.get(name)
    if (known !== undefined) return known
    assert(namePattern.test(name), () => `metric name does not follow tributary_<part>_<noun>_<unit>: ${name}`)
    const made = make()
    map.set(name, made)
    return made
  }

  return {
    counter: (name, help) =>
      once(counters, name, () => {
        const metric = new prom.Counter({ name, help, registers: [registry] })
        return { add: (amount = 1) => metric.inc(amount) }
      }),
    gauge: (name, help) =>
      once(gauges, name, () => {
        const metric = new prom.Gauge({ name, help, registers: [registry] })
        return { set: (value) => metric.set(value) }
      }),
    histogram: (name, help, buckets) =>
      once(histograms, name, () => {
        const metric = new prom.Histogram({ name, help, buckets: [...buckets], registers: [registry] })
        return { observe: (value) => metric.observe(value) }
      }),
    text: () => registry.metrics(),
  }
}
