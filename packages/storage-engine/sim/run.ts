import { runCluster } from './cluster-run.ts'

/** `npm run sim -- --seed 7 --runs 100 [--pages] [--stress power|rivals|sync|takeover|disk] [--log]`: seeds from `--seed` on, one line each; stops at the first that fails.
 * `--pages`: with a PageServer. */
const args = process.argv.slice(2)
const option = (name: string, fallback: number): number => {
  const at = args.indexOf(`--${name}`)
  const value = at < 0 ? fallback : Number(args[at + 1])
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} takes a whole number`)
  return value
}
const pageserver = args.includes('--pages')
const stress = args.includes('--stress')
  ? (args[args.indexOf('--stress') + 1] as 'power' | 'rivals' | 'sync' | 'takeover' | 'disk')
  : undefined
const firstSeed = option('seed', 1)
const runs = option('runs', 50)
const log = args.includes('--log') ? (line: string) => console.log(line) : undefined

let passed = 0
for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
  try {
    const result = await runCluster({
      seed,
      pageserver,
      ...(stress === undefined ? {} : { stress }),
      ...(log === undefined ? {} : { log }),
    })
    passed++
    console.log(
      `seed ${String(seed).padStart(6)}  ${String(result.eventCount).padStart(7)} events  ${String(result.elections).padStart(3)} computes  ${String(result.crashes).padStart(3)} crashes  ${String(result.committedBytes).padStart(9)} bytes committed  ${result.checks} checks ${result.upkeeps} upkeeps ${result.branches} branches  trace ${result.traceHash.toString(16)}`,
    )
  } catch (error) {
    console.log(`seed ${seed} failed: ${error instanceof Error ? error.stack : String(error)}`)
    console.log(`again, with every event: npm run sim -- --seed ${seed} --runs 1${pageserver ? ' --pages' : ''} --log`)
    process.exitCode = 1
    break
  }
}
console.log(`${passed} passed, ${process.exitCode === 1 ? 1 : 0} failed`)
