import { CRC32C_INIT, crc32cFinish, crc32cUpdate } from '../src/base/crc32c.ts'
import { SimRandom } from './sim-random.ts'

interface Event {
  readonly timeMs: number
  readonly sequence: number
  readonly label: string
  readonly fire: () => void
}

/**
 * Virtual time and the one queue of everything that happens later. One event fires, then all promise jobs that it set off run
 * to their end, then the next: with every leaf await resolved from this queue, a run is a function of its seed.
 */
export class World {
  readonly random: SimRandom
  #nowMs = 0
  #sequence = 0
  #heap: Event[] = []
  #trace = CRC32C_INIT
  #eventCount = 0
  readonly #log: ((line: string) => void) | undefined

  constructor(seed: number, options: { log?: (line: string) => void } = {}) {
    this.random = new SimRandom(seed)
    this.#log = options.log
  }

  get nowMs(): number {
    return this.#nowMs
  }

  get eventCount(): number {
    return this.#eventCount
  }

  /** Of all events so far, in order, with their times and labels. */
  get traceHash(): number {
    return crc32cFinish(this.#trace)
  }

  schedule(delayMs: number, label: string, fire: () => void): void {
    this.#push({ timeMs: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, label, fire })
  }

  /** For facts worth seeing in the trace that are no events. */
  note(text: string): void {
    this.#hash(text)
    this.#log?.(`${this.#nowMs.toFixed(3).padStart(12)}  ${text}`)
  }

  /** Fires events until `done` or until virtual time passes `untilMs`. False when time ran out. */
  async run(untilMs: number, done: () => boolean): Promise<boolean> {
    while (!done()) {
      const event = this.#heap[0]
      // An empty queue with work undone means that something awaits what is not simulated.
      if (event === undefined) throw new Error('the simulation has no events left: a leaf await is outside of it')
      if (event.timeMs > untilMs) return false
      this.#pop()
      this.#nowMs = event.timeMs
      this.#eventCount++
      this.#hash(event.label)
      this.#log?.(`${this.#nowMs.toFixed(3).padStart(12)}  ${event.label}`)
      event.fire()
      await new Promise((resolve) => setImmediate(resolve))
    }
    return true
  }

  #hash(text: string): void {
    this.#trace = crc32cUpdate(this.#trace, Buffer.from(`${this.#nowMs}|${text}\n`))
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(event, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.sequence < b.sequence)
}
