import * as fs from 'node:fs'
import type { Stack } from '../test/stack-fixture.ts'

const SAMPLE_MS = 250

/**
 * Watches the memory of every process of a stack: the high-water mark of resident memory per program, and for Postgres
 * the largest sum of memory its processes hold alone (shared buffers are counted once, under the postmaster). Linux only;
 * elsewhere the figures are empty.
 */
export class PeakMemory {
  readonly #stack: Stack
  readonly #peaksMb = new Map<string, number>()
  readonly #timer: NodeJS.Timeout
  #isSampling = false

  constructor(stack: Stack) {
    this.#stack = stack
    this.#timer = setInterval(() => void this.#sample(), SAMPLE_MS)
  }

  async stop(): Promise<Record<string, number>> {
    clearInterval(this.#timer)
    await this.#sample()
    return Object.fromEntries([...this.#peaksMb].map(([name, mb]) => [name, Math.round(mb)]))
  }

  async #sample(): Promise<void> {
    if (this.#isSampling) return
    this.#isSampling = true
    try {
      const { processes, pid } = await this.#stack.describe()
      this.#note('supervisor', statusMb(pid, 'VmHWM'))
      for (const child of processes) {
        if (child.pid === null) continue
        // All computes count as one program: a benchmark may start many, one after the other.
        const name = child.name.startsWith('compute-') ? 'compute' : child.name
        this.#note(name, statusMb(child.pid, 'VmHWM'))
        if (name !== 'compute') continue
        const postgres = descendants(child.pid)
        this.#note(
          'postgres',
          postgres.reduce((sum, member) => sum + (statusMb(member, 'RssAnon') ?? 0), 0),
        )
      }
    } catch {
      // The stack may be going down.
    } finally {
      this.#isSampling = false
    }
  }

  #note(name: string, mb: number | undefined): void {
    if (mb !== undefined && mb > (this.#peaksMb.get(name) ?? 0)) this.#peaksMb.set(name, mb)
  }
}

function statusMb(pid: number, field: string): number | undefined {
  try {
    const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))
    return match ? Number(match[1]) / 1024 : undefined
  } catch {
    return undefined
  }
}

function descendants(pid: number): number[] {
  try {
    const children = fs
      .readdirSync(`/proc/${pid}/task`)
      .flatMap((task) => fs.readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '))
      .filter((text) => text !== '')
      .map(Number)
    return children.flatMap((child) => [child, ...descendants(child)])
  } catch {
    return []
  }
}
