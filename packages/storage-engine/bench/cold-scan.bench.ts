import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import * as path from 'node:path'
import { type Stack, startStack } from '../test/stack-fixture.ts'
import { type BenchContext, type BenchReport, median, rounded } from './bench-report.ts'
import { cpuTime } from './cpu-time.ts'
import { PeakMemory } from './peak-memory.ts'
import { startStock } from './stock-postgres.ts'

/** Sequential scan of a table on a fresh compute that has none of it, against stock Postgres with a cold cache. */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  const [mb, rounds] = isQuick ? [64, 1] : [1024, 3]
  const stack = await startStack()
  try {
    const shared = await stack.query<{ shared_buffers: string }>('show shared_buffers')
    const peer = await startStock({ port: 21692, sharedBuffers: shared[0]?.shared_buffers ?? '128MB' })
    try {
      const load = [
        'create table t (i int, filler text)',
        ...Array.from(
          { length: mb / 64 },
          () =>
            `insert into t select i, repeat(md5(i::text), 35) from generate_series(1, ${(64 * 1024 * 1024 * 7) / 8192}) i`,
        ),
        // Hint bits and visibility are settled before the scan on both sides.
        'vacuum t',
        'checkpoint',
      ]
      for (const statement of load) {
        await stack.query(statement)
        await peer.primary.query(statement)
      }
      say(`loaded ${mb} MiB on both sides`)
      const memory = new PeakMemory(stack)
      const [oursSeconds, peerSeconds]: [number[], number[]] = [[], []]
      const [pageserverCpuMs, computeCpuMs]: [number[], number[]] = [[], []]
      const scan = 'select count(*), max(i) from t'
      for (let round = 0; round < rounds; round++) {
        await stack.stopBranch('main')
        dropCaches(path.join(stack.home))
        await stack.startBranch('main')
        const cpuBefore = await cpuOf(stack)
        oursSeconds.push(await timed(() => stack.query(scan)))
        const cpu = await cpuOf(stack)
        pageserverCpuMs.push(cpu.pageserverMs - cpuBefore.pageserverMs)
        computeCpuMs.push(cpu.computeMs - cpuBefore.computeMs)
        await peer.primary.stop('fast')
        dropCaches(peer.primary.dataDir)
        await peer.primary.start()
        peerSeconds.push(await timed(() => peer.primary.query(scan)))
        say(`round ${round + 1}: ours ${oursSeconds.at(-1)?.toFixed(2)} s, stock ${peerSeconds.at(-1)?.toFixed(2)} s`)
      }
      return {
        bench: 'cold-scan',
        figures: {
          tableMb: mb,
          oursSeconds: rounded(median(oursSeconds)),
          stockSeconds: rounded(median(peerSeconds)),
          oursMbPerSecond: rounded(mb / median(oursSeconds)),
          pageserverCpuMsPerMb: rounded(median(pageserverCpuMs) / mb),
          computeCpuMsPerMb: rounded(median(computeCpuMs) / mb),
          peakMemoryMb: await memory.stop(),
        },
        // Speed over speed: above 1 means that ours is the faster one.
        ratios: { seq: rounded(median(peerSeconds) / median(oursSeconds)) },
      }
    } finally {
      await peer.cleanup()
    }
  } finally {
    await stack.cleanup()
  }
}

/** CPU time of the PageServer, and of the sidecar of the compute without its Postgres. */
async function cpuOf(stack: Stack): Promise<{ pageserverMs: number; computeMs: number }> {
  const compute = (await stack.branch()).compute?.name ?? ''
  const [pageserver, sidecar] = [await cpuTime(stack, 'pageserver'), await cpuTime(stack, compute)]
  return { pageserverMs: pageserver.mainMs + pageserver.othersMs, computeMs: sidecar.mainMs + sidecar.othersMs }
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await run()
  return (performance.now() - startedMs) / 1000
}

/** Takes the files of a folder out of the page cache: as root at once, else file by file where `dd` can. */
function dropCaches(folder: string): void {
  execFileSync('sync')
  try {
    fs.writeFileSync('/proc/sys/vm/drop_caches', '1')
  } catch {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
      if (!entry.isFile()) continue
      try {
        execFileSync(
          'dd',
          [`of=${path.join(entry.parentPath, entry.name)}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'],
          { stdio: 'ignore' },
        )
      } catch {
        // Not ours to open.
      }
    }
  }
}
