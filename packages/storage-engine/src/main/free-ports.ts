import * as net from 'node:net'
import { StorageError } from '../base/errors.ts'

/**
 * Hands out ports that nobody listens on, in ascending order from `first`. One that was given back is used again when no
 * new one is left: long after the last stray client of its earlier owner.
 */
export class FreePorts {
  readonly #host: string
  readonly #reserved: ReadonlySet<number>
  readonly #last: number
  readonly #givenBack: number[] = []
  #next: number

  constructor(options: { host: string; first: number; reserved: readonly number[]; last?: number }) {
    this.#host = options.host
    this.#next = options.first
    this.#last = options.last ?? 65_535
    this.#reserved = new Set(options.reserved)
  }

  async take(): Promise<number> {
    while (this.#next <= this.#last) {
      const port = this.#next++
      if (!this.#reserved.has(port) && (await isFree(this.#host, port))) return port
    }
    for (let left = this.#givenBack.length; left > 0; left--) {
      const port = this.#givenBack.shift()
      if (port === undefined) break
      if (await isFree(this.#host, port)) return port
      this.#givenBack.push(port)
    }
    throw new StorageError('exhausted', 'no free port left', { host: this.#host })
  }

  /** The caller listens on it no more. */
  giveBack(port: number): void {
    this.#givenBack.push(port)
  }
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ host, port }, () => probe.close(() => resolve(true)))
  })
}
