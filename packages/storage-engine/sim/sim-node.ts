import { StorageError } from '../src/base/errors.ts'
import type { Clock, Timer } from '../src/io/clock.ts'
import type { Env } from '../src/io/env.ts'
import { type Log, silentLog } from '../src/io/log.ts'
import { noMetrics } from '../src/io/metrics.ts'
import { SimDisk, type SimVolume } from './sim-disk.ts'
import type { SimNetwork } from './sim-network.ts'
import type { World } from './world.ts'

/**
 * One life of one process: everything it awaits ends with it. After `kill` no timer, disk call or message of this life ever
 * fires again, so its code stops at whatever await it is in, as after kill -9.
 */
export class SimLife {
  readonly name: string
  readonly world: World
  #isAlive = true
  /** How long a sync on the calling thread holds it up. */
  syncStallMs: () => number = () => 0
  syncFailureRate: () => number = () => 0
  #stalledMs = 0
  readonly #onKill: (() => void)[] = []

  constructor(world: World, name: string) {
    this.world = world
    this.name = name
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  /** What the clock of this life is ahead of the world's: the time that its thread stood still. */
  get stalledMs(): number {
    return this.#stalledMs
  }

  stall(): void {
    this.#stalledMs += this.syncStallMs()
  }

  schedule(delayMs: number, label: string, fire: () => void): void {
    this.world.schedule(delayMs, `${this.name} ${label}`, () => {
      if (this.#isAlive) fire()
    })
  }

  /** Resolves after a delay, or never when the life ends first. */
  pause(delayMs: number, label: string): Promise<void> {
    return new Promise((resolve) => this.schedule(delayMs, label, resolve))
  }

  onKill(run: () => void): void {
    this.#onKill.push(run)
  }

  kill(): void {
    if (!this.#isAlive) return
    this.#isAlive = false
    for (const run of this.#onKill) run()
  }
}

/** The seams of one life. Clocks of nodes run alike but start apart. */
export function simEnv(life: SimLife, volume: SimVolume, network: SimNetwork, log: Log = silentLog): Env {
  return {
    clock: new SimClock(life),
    random: life.world.random.fork(),
    disk: new SimDisk(life, volume),
    network: network.of(life),
    log,
    metrics: noMetrics,
  }
}

/** 2026-01-01 in Unix milliseconds: virtual time zero. */
export const EPOCH_MS = 1_767_225_600_000

class SimClock implements Clock {
  readonly #life: SimLife

  constructor(life: SimLife) {
    this.#life = life
  }

  nowMs(): number {
    return EPOCH_MS + this.#life.world.nowMs
  }

  monotonicMs(): number {
    return this.#life.world.nowMs + this.#life.stalledMs
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    let isCancelled = false
    this.#life.schedule(delayMs, 'timer', () => {
      if (!isCancelled) fire()
    })
    return {
      cancel() {
        isCancelled = true
      },
    }
  }

  sleep(delayMs: number, options: { signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options
    return new Promise((resolve, reject) => {
      const aborted = () => reject(new StorageError('aborted', 'sleep was aborted'))
      if (signal?.aborted) return aborted()
      signal?.addEventListener('abort', aborted, { once: true })
      this.#life.schedule(delayMs, 'sleep', () => {
        signal?.removeEventListener('abort', aborted)
        resolve()
      })
    })
  }

  yieldTurn(): Promise<void> {
    return this.sleep(0)
  }
}
