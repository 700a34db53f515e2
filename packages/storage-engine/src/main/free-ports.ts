import * as net from 'node:net'
import { StorageError } from '../base/errors.ts'

/** Hands out ports that nobody listens on, in ascending order from `first`, each once. */
export class FreePorts {
  readonly #host: string
  readonly #taken: Set<number>
  #next: number

  constructor(options: { host: string; first: number; reserved: readonly number[] }) {
    this.#host = options.host
    this.#next = options.first
    this.#taken = new Set(options.reserved)
  }

  async take(): Promise<number> {
    for (; this.#next <= 65_535; this.#next++) {
      if (this.#taken.has(this.#next)) continue
      if (await isFree(this.#host, this.#next)) return this.#next++
    }
    throw new StorageError('exhausted', 'no free port left', { host: this.#host })
  }
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ host, port }, () => probe.close(() => resolve(true)))
  })
}
