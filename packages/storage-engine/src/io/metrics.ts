/** Named figures of a process, served on /metrics. Names follow Prometheus: `tributary_<part>_<noun>_<unit>`. */
export interface Metrics {
  counter(name: string, help: string): Counter
  gauge(name: string, help: string): Gauge
  /** `buckets` are upper bounds in the unit that the name ends in. */
  histogram(name: string, help: string, buckets: readonly number[]): Histogram
}

export interface Counter {
  add(amount?: number): void
}

export interface Gauge {
  set(value: number): void
}

export interface Histogram {
  observe(value: number): void
}

/** Counts nothing; for tests and the simulator. */
export const noMetrics: Metrics = {
  counter: () => ({ add() {} }),
  gauge: () => ({ set() {} }),
  histogram: () => ({ observe() {} }),
}
