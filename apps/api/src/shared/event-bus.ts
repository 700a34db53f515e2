/** What changed, for subscriptions and for waiters inside the process. Ids only: readers load what they need. */
export interface ChangeEvents {
  operation: { readonly projectId: string; readonly operationId: string; readonly isFinal: boolean }
  branchTip: { readonly projectId: string; readonly branchId: string }
  endpoint: { readonly projectId: string; readonly endpointId: string }
  storageStatus: Record<string, never>
  faultDrill: { readonly projectId: string; readonly drillId: string }
}

type Listener<Event> = (event: Event) => void

/** Events a slow subscriber may be behind; older ones are dropped, since each says only "read again". */
const BACKLOG_MAX = 256

export class EventBus {
  readonly #listeners = new Map<string, Set<Listener<never>>>()

  publish<Name extends keyof ChangeEvents>(name: Name, event: ChangeEvents[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) (listener as Listener<ChangeEvents[Name]>)(event)
  }

  /** Returns what stops it. */
  listen<Name extends keyof ChangeEvents>(name: Name, listener: Listener<ChangeEvents[Name]>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    listeners.add(listener as Listener<never>)
    return () => listeners.delete(listener as Listener<never>)
  }

  /** Events that pass `filter`, until the consumer calls `return`. Not a generator: its `return` waits for the next event. */
  stream<Name extends keyof ChangeEvents>(
    name: Name,
    filter: (event: ChangeEvents[Name]) => boolean,
  ): AsyncIterableIterator<ChangeEvents[Name]> {
    type Event = ChangeEvents[Name]
    const backlog: Event[] = []
    const waiters: ((result: IteratorResult<Event>) => void)[] = []
    let isDone = false
    const stop = this.listen(name, (event) => {
      if (!filter(event)) return
      const waiter = waiters.shift()
      if (waiter) return waiter({ done: false, value: event })
      backlog.push(event)
      if (backlog.length > BACKLOG_MAX) backlog.shift()
    })
    const end = (): IteratorResult<Event> => ({ done: true, value: undefined })
    return {
      next() {
        const event = backlog.shift()
        if (event !== undefined) return Promise.resolve({ done: false, value: event })
        if (isDone) return Promise.resolve(end())
        return new Promise((resolve) => waiters.push(resolve))
      },
      return() {
        isDone = true
        stop()
        for (const waiter of waiters.splice(0)) waiter(end())
        return Promise.resolve(end())
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  get listenerCount(): number {
    return [...this.#listeners.values()].reduce((sum, listeners) => sum + listeners.size, 0)
  }
}
