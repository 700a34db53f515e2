import { StorageError } from '../src/base/errors.ts'
import { type Address, type Connection, formatAddress, type Listener, type Network } from '../src/io/network.ts'
import type { SimLife } from './sim-node.ts'
import type { World } from './world.ts'

export interface NetworkFaults {
  /** Of each send: it is lost, twice, or late enough to be overtaken by the next. A real network does so below TCP and above it by resets. */
  lossRate: number
  duplicateRate: number
  reorderRate: number
  /** Of each send: the connection breaks instead. */
  resetRate: number
  delayMsMax: number
}

/** Links between nodes by name; any of them can be cut, in one direction or both. */
export class SimNetwork {
  readonly #world: World
  readonly #listeners = new Map<string, { life: SimLife; accept: (connection: Connection) => void }>()
  readonly #cut = new Set<string>()
  readonly #open = new Set<SimConnection>()
  faults: NetworkFaults = { lossRate: 0, duplicateRate: 0, reorderRate: 0, resetRate: 0, delayMsMax: 2 }

  constructor(world: World) {
    this.#world = world
  }

  /** Messages from `from` to `to` vanish; connections stay, silently, as behind a dead switch. */
  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`)
  }

  heal(): void {
    this.#cut.clear()
  }

  /** No faults any more, and no connection that remembers one. */
  calm(): void {
    this.heal()
    this.faults = { lossRate: 0, duplicateRate: 0, reorderRate: 0, resetRate: 0, delayMsMax: 2 }
    for (const connection of [...this.#open]) connection.reset()
  }

  isCut(from: string, to: string): boolean {
    return this.#cut.has(`${from}>${to}`)
  }

  of(life: SimLife): Network {
    return {
      listen: async (address, accept) => this.#listen(life, address, accept),
      connect: (address, options) => this.#connect(life, address, options),
    }
  }

  #listen(life: SimLife, address: Address, accept: (connection: Connection) => void): Listener {
    const name = formatAddress(address)
    this.#listeners.set(name, { life, accept })
    life.onKill(() => {
      if (this.#listeners.get(name)?.life === life) this.#listeners.delete(name)
    })
    return { address, close: async () => void this.#listeners.delete(name) }
  }

  #connect(life: SimLife, address: Address, options: { timeoutMs: number; signal?: AbortSignal }): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const { signal } = options
      const abort = () => reject(new StorageError('aborted', 'connect was aborted'))
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort, { once: true })
      const target = formatAddress(address)
      life.schedule(this.#world.random.between(0.05, this.faults.delayMsMax), `connect ${target}`, () => {
        const listener = this.#listeners.get(target)
        if (listener && (this.isCut(life.name, listener.life.name) || this.isCut(listener.life.name, life.name))) {
          life.schedule(options.timeoutMs, 'connect timeout', () => {
            reject(new StorageError('unavailable', 'connect: no answer', { target }))
          })
          return
        }
        signal?.removeEventListener('abort', abort)
        if (!listener?.life.isAlive)
          return reject(new StorageError('unavailable', 'connect: connection refused', { target }))
        if (signal?.aborted) return
        const near = new SimConnection(this, this.#world, life, listener.life)
        const far = new SimConnection(this, this.#world, listener.life, life)
        near.pairWith(far)
        far.pairWith(near)
        for (const end of [near, far]) this.#open.add(end)
        listener.accept(far)
        resolve(near)
      })
    })
  }

  forget(connection: SimConnection): void {
    this.#open.delete(connection)
  }
}

class SimConnection implements Connection {
  onData: (chunk: Uint8Array) => void = (chunk) => void this.#held.push(chunk)
  onClose: (error?: Error) => void = () => undefined
  readonly remote: string
  readonly #network: SimNetwork
  readonly #world: World
  readonly #life: SimLife
  readonly #peerLife: SimLife
  readonly #held: Uint8Array[] = []
  #peer: SimConnection | undefined
  #isOpen = true
  #isPaused = false
  #waiting: Uint8Array[] = []
  /** Arrivals at the peer keep this order unless chance reorders them. */
  #lastArrivalMs = 0

  constructor(network: SimNetwork, world: World, life: SimLife, peerLife: SimLife) {
    this.#network = network
    this.#world = world
    this.#life = life
    this.#peerLife = peerLife
    this.remote = peerLife.name
    // The peer's system notices a dead process and closes for it.
    life.onKill(() => this.reset())
  }

  pairWith(peer: SimConnection): void {
    this.#peer = peer
  }

  send(...chunks: Uint8Array[]): boolean {
    if (!this.#isOpen || !this.#life.isAlive) return true
    const bytes = Uint8Array.from(Buffer.concat(chunks))
    const { faults } = this.#network
    const { random } = this.#world
    if (random.chance(faults.resetRate)) {
      this.#world.schedule(0.01, `${this.#life.name} reset`, () => this.reset())
      return true
    }
    if (random.chance(faults.lossRate)) return true
    const delayMs = random.between(0.02, faults.delayMsMax)
    const isLate = random.chance(faults.reorderRate)
    const arrivalMs = isLate
      ? this.#world.nowMs + delayMs * 3
      : Math.max(this.#world.nowMs + delayMs, this.#lastArrivalMs)
    if (!isLate) this.#lastArrivalMs = arrivalMs
    this.#deliver(bytes, arrivalMs)
    if (random.chance(faults.duplicateRate)) this.#deliver(bytes, arrivalMs + random.between(0, faults.delayMsMax))
    return true
  }

  /** Chunks are copied when they are sent. */
  get borrowedBytes(): number {
    return 0
  }

  drained(): Promise<void> {
    return this.#life.pause(0.1, 'drained')
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    for (const chunk of this.#waiting.splice(0)) this.#receive(chunk)
  }

  end(): void {
    const at = Math.max(this.#lastArrivalMs, this.#world.nowMs) + 0.01
    this.#world.schedule(at - this.#world.nowMs, `${this.#life.name} end`, () => this.reset())
  }

  destroy(): void {
    this.reset()
  }

  /** Both ends close; each side hears of it on its own time. */
  reset(): void {
    for (const end of [this, this.#peer]) end?.close()
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#network.forget(this)
    this.#life.schedule(0.01, 'closed', () => this.onClose())
  }

  #deliver(bytes: Uint8Array, arrivalMs: number): void {
    const peer = this.#peer!
    this.#world.schedule(
      arrivalMs - this.#world.nowMs,
      `${this.#life.name}>${this.#peerLife.name} ${bytes.length}`,
      () => {
        if (this.#network.isCut(this.#life.name, this.#peerLife.name)) return
        if (peer.#isOpen && this.#peerLife.isAlive) peer.#receive(bytes)
      },
    )
  }

  #receive(bytes: Uint8Array): void {
    if (this.#isPaused) this.#waiting.push(bytes)
    else this.onData(bytes)
  }
}
