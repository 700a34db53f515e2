import * as path from 'node:path'
import { pathToFileURL } from 'node:url'
import { apiFolder, engineFolder, listFiles, option, rootFolder } from './repository.ts'

/**
 * `npm run fuzz -- [name] [--seed 42] [--events 100000] [--smoke]`: runs every `src/**\/x.fuzz.ts`, each of which exports
 * `fuzzer = { name, run(random, { events }) }`. The seed is printed first; the same seed runs the same inputs.
 */
interface Fuzzer {
  readonly name: string
  run(random: SeededRandom, options: { events: number }): void | Promise<void>
}

class SeededRandom {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** Mulberry32. */
  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  below(bound: number): number {
    return Math.floor((this.uint32() / 0x1_0000_0000) * bound)
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.uint32() & 0xff)
  }
}

const args = process.argv.slice(2)
const isSmoke = args.includes('--smoke')
const seed = Number(option(args, 'seed') ?? (isSmoke ? 42 : Date.now() % 1_000_000))
const events = Number(option(args, 'events') ?? (isSmoke ? 2000 : 200_000))
const wanted = args[0]?.startsWith('--') ? undefined : args[0]

let count = 0
const files = [engineFolder, apiFolder].flatMap((folder) => listFiles(path.join(folder, 'src')))
for (const file of files.filter((name) => name.endsWith('.fuzz.ts'))) {
  const module: unknown = await import(pathToFileURL(file).href)
  const fuzzers = Object.values(module as Record<string, unknown>).filter(isFuzzer)
  if (fuzzers.length === 0) {
    console.log(`${path.relative(rootFolder, file)} exports no fuzzer`)
    process.exitCode = 1
  }
  for (const fuzzer of fuzzers) {
    if (wanted !== undefined && !fuzzer.name.includes(wanted)) continue
    const startedMs = performance.now()
    console.log(`${fuzzer.name}: seed ${seed}, ${events} events`)
    await fuzzer.run(new SeededRandom(seed), { events })
    console.log(`${fuzzer.name}: ok in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
    count++
  }
}
console.log(`${count} fuzzers passed`)

function isFuzzer(value: unknown): value is Fuzzer {
  return (
    typeof value === 'object' && value !== null && 'name' in value && 'run' in value && typeof value.run === 'function'
  )
}
