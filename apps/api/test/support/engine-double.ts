import * as http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ComputeInfo } from '@tributary/storage-engine/admin'

/**
 * A stand-in for PageServer and supervisor behind their HTTP interfaces: it keeps the same books (timelines with ancestors,
 * computes with terms, fencing) and no data. All its computes are one Postgres server. It lives in the test's process, so
 * that it survives the kills of the API.
 */
export interface TimelineDouble {
  readonly timelineId: string
  readonly ancestorTimelineId: string | null
  readonly ancestorLsn: string | null
  readonly startLsn: string
  lastRecordLsn: string
}

type CallMatch = (method: string, path: string) => boolean

interface Gate {
  readonly matches: CallMatch
  readonly isStale: boolean
  pass(): Promise<void>
}

const FIRST_LSN = 0x1_000_000n
/** Of the first commit of every timeline. */
const FIRST_TIME = '2026-01-01T00:00:00.000Z'

export class EngineDouble {
  readonly projects = new Map<string, Map<string, TimelineDouble>>()
  readonly computes = new Map<string, ComputeInfo>()
  /** One entry per call. */
  readonly publishedTimelines: string[] = []
  readonly #postgres: { host: string; port: number }
  readonly #terms = new Map<string, number>()
  readonly #waiters = new Set<() => void>()
  readonly #servers: http.Server[] = []
  readonly #gates = new Set<Gate>()
  #revision = 1
  pageserverUrl = ''
  supervisorUrl = ''

  private constructor(postgres: { host: string; port: number }) {
    this.#postgres = postgres
  }

  static async start(postgres: { host: string; port: number }): Promise<EngineDouble> {
    const double = new EngineDouble(postgres)
    double.pageserverUrl = await double.#listen((request, url, body) => double.#pageserver(request, url, body))
    double.supervisorUrl = await double.#listen((request, url, body) => double.#supervisor(request, url, body))
    return double
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    }
  }

  /** WAL arrives on a timeline. */
  advance(timelineId: string, bytes = 1000n): string {
    for (const timelines of this.projects.values()) {
      const timeline = timelines.get(timelineId)
      if (timeline) {
        timeline.lastRecordLsn = lsnText(lsnValue(timeline.lastRecordLsn) + bytes)
        return timeline.lastRecordLsn
      }
    }
    throw new Error(`no timeline ${timelineId}`)
  }

  /** Branches are not made until what it returns is called: the operation that asks stays under way. */
  holdBranches(): () => void {
    return this.hold((method, path) => method === 'POST' && path.endsWith('/timelines')).release
  }

  /**
   * Calls that match are answered when `release` is called, with what is so then; with `isStale`, with what was so when they
   * came. `reached`: the first has come.
   */
  hold(matches: CallMatch, options: { readonly isStale?: boolean } = {}): { reached: Promise<void>; release(): void } {
    const [reached, release] = [signal(), signal()]
    const gate: Gate = {
      matches,
      isStale: options.isStale === true,
      async pass() {
        reached.fire()
        await release.fired
      },
    }
    this.#gates.add(gate)
    return {
      reached: reached.fired,
      release: () => {
        this.#gates.delete(gate)
        release.fire()
      },
    }
  }

  /** Calls that match are refused for good until what it returns is called. */
  refuse(matches: CallMatch): () => void {
    const pass = async () => {
      throw problem(409, 'conflict', 'refused by the test')
    }
    const gate: Gate = { matches, isStale: false, pass }
    this.#gates.add(gate)
    return () => void this.#gates.delete(gate)
  }

  /** A compute ends unasked. */
  killCompute(computeId: string): void {
    this.#end(computeId, 'failed', 'SIGKILL')
  }

  runningComputes(): ComputeInfo[] {
    return [...this.computes.values()].filter(({ state }) => state === 'running')
  }

  #pageserver(method: string, url: URL, body: Record<string, unknown>): unknown {
    const [, , projectId = '', , timelineId = '', what = ''] = url.pathname.split('/')
    if (url.pathname === '/projects' && method === 'GET') return [...this.projects.keys()]
    if (url.pathname === '/projects' && method === 'POST') {
      const id = String(body['projectId'])
      const timelines = this.projects.get(id) ?? new Map<string, TimelineDouble>()
      this.projects.set(id, timelines)
      const root = String(body['timelineId'])
      if (!timelines.has(root))
        timelines.set(root, {
          timelineId: root,
          ancestorTimelineId: null,
          ancestorLsn: null,
          startLsn: lsnText(FIRST_LSN),
          lastRecordLsn: lsnText(FIRST_LSN + 100_000n),
        })
      return this.#info(id, timelines.get(root)!)
    }
    const timelines = this.projects.get(projectId)
    if (!timelines) throw problem(404, 'not-found', 'no such project')
    if (url.pathname === `/projects/${projectId}` && method === 'DELETE') return void this.projects.delete(projectId)
    if (url.pathname.endsWith('/pitr-window')) return undefined
    if (url.pathname === `/projects/${projectId}/timelines` && method === 'GET')
      return [...timelines.values()].map((timeline) => this.#info(projectId, timeline))
    if (url.pathname === `/projects/${projectId}/timelines` && method === 'POST')
      return this.#branch(projectId, timelines, body)
    const timeline = timelines.get(timelineId)
    if (!timeline) throw problem(404, 'not-found', 'no such timeline')
    if (method === 'DELETE') {
      if ([...timelines.values()].some((other) => other.ancestorTimelineId === timelineId))
        throw problem(409, 'conflict', 'timeline has children')
      return void timelines.delete(timelineId)
    }
    if (what === '') return this.#info(projectId, timeline)
    if (what === 'time-at-lsn') return { commitTime: FIRST_TIME }
    if (what === 'lsn-at-time' && Date.parse(url.searchParams.get('time') ?? '') < Date.parse(FIRST_TIME))
      return { lsn: timeline.startLsn, kind: 'past', commitTime: null }
    if (what === 'lsn-at-time') return { lsn: timeline.startLsn, kind: 'exact', commitTime: FIRST_TIME }
    if (what === 'publish') {
      this.publishedTimelines.push(timelineId)
      return { lsn: timeline.lastRecordLsn, published: [], refused: [] }
    }
    if (what === 'commit-histogram') return { from: null, to: null, buckets: [] }
    return []
  }

  #branch(projectId: string, timelines: Map<string, TimelineDouble>, body: Record<string, unknown>): unknown {
    const ancestor = timelines.get(String(body['ancestorTimelineId']))
    if (!ancestor) throw problem(404, 'not-found', 'no such ancestor')
    const id = String(body['timelineId'])
    const at = body['at'] as { lsn?: string } | undefined
    const lsn = at?.lsn ?? ancestor.lastRecordLsn
    if (!timelines.has(id))
      timelines.set(id, {
        timelineId: id,
        ancestorTimelineId: ancestor.timelineId,
        ancestorLsn: lsn,
        startLsn: lsn,
        lastRecordLsn: lsn,
      })
    return this.#info(projectId, timelines.get(id)!)
  }

  #info(projectId: string, timeline: TimelineDouble): unknown {
    return {
      ...timeline,
      projectId,
      remoteConsistentLsn: timeline.lastRecordLsn,
      gcCutoffLsn: timeline.startLsn,
      systemIdentifier: '7000000000000000000',
      lastCommitTime: FIRST_TIME,
      logicalSizeBytes: 1_000_000,
      layerCount: 1,
      layerSizeBytes: 500_000,
    }
  }

  #supervisor(method: string, url: URL, body: Record<string, unknown>): unknown {
    const [, first = '', id = '', what = ''] = url.pathname.split('/')
    if (first === 'computes' && id === '') return [...this.computes.values()]
    if (first === 'computes-watch') return this.#watch(url)
    if (first === 'stack-info') return { pid: 1, home: '/', startedAt: now(), addresses: {}, processes: [] }
    if (first === 'timelines') return { found: false }
    if (first === 'storage-status') return { safekeepers: [], pageserver: { state: 'ready', timelines: [] } }
    if (first !== 'computes') return undefined
    if (method === 'PUT') return this.#start(id, body)
    const compute = this.computes.get(id)
    if (method === 'DELETE') {
      if (compute?.state === 'running') this.#end(id, 'stopped', null)
      return undefined
    }
    if (!compute) throw problem(404, 'not-found', 'no such compute')
    if (what !== 'activity') return compute
    return {
      computeId: id,
      sampledAt: now(),
      connections: 0,
      activeConnections: 0,
      lastActivityAt: null,
      commits: 0,
      rollbacks: 0,
      blocksHit: 0,
      blocksRead: 0,
      flushLsn: null,
      commitLsn: null,
      lagBytes: null,
      members: [],
    }
  }

  #start(computeId: string, spec: Record<string, unknown>): ComputeInfo {
    const existing = this.computes.get(computeId)
    if (existing?.state === 'running') return existing
    if (existing) throw problem(409, 'conflict', 'the compute has ended')
    const timelineId = String(spec['timelineId'])
    const projectId = String(spec['projectId'])
    if (!this.projects.get(projectId)?.has(timelineId)) throw problem(404, 'not-found', 'no such timeline')
    const isPrimary = spec['kind'] === 'primary'
    const term = (this.#terms.get(timelineId) ?? 0) + 1
    if (isPrimary) {
      this.#terms.set(timelineId, term)
      for (const other of this.runningComputes())
        if (other.timelineId === timelineId && other.kind === 'primary')
          this.#end(other.computeId, 'fenced', 'a higher term')
    }
    const info = {
      computeId,
      projectId,
      timelineId,
      kind: spec['kind'],
      state: 'running',
      host: this.#postgres.host,
      postgresPort: this.#postgres.port,
      httpPort: 1,
      pid: 1,
      term: isPrimary ? term : null,
      startLsn: '0/1000000',
      mode: 'fuse',
      startedAt: now(),
      readyAt: now(),
      endedAt: null,
      phases: [{ name: 'elect', ms: 1 }],
      lastError: null,
      labels: spec['labels'] ?? {},
    } as unknown as ComputeInfo
    this.computes.set(computeId, info)
    this.#changed()
    return info
  }

  #end(computeId: string, state: ComputeInfo['state'], lastError: string | null): void {
    const info = this.computes.get(computeId)
    if (!info) return
    this.computes.set(computeId, { ...info, state, lastError, endedAt: now() })
    this.#changed()
  }

  #changed(): void {
    this.#revision++
    for (const wake of [...this.#waiters]) wake()
  }

  async #watch(url: URL): Promise<unknown> {
    const after = Number(url.searchParams.get('after') ?? -1)
    if (after >= this.#revision)
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer)
          this.#waiters.delete(done)
          resolve()
        }
        const timer = setTimeout(done, 5000)
        this.#waiters.add(done)
      })
    return { epoch: 'double', revision: this.#revision, isFull: true, computes: [...this.computes.values()] }
  }

  async #listen(answer: (method: string, url: URL, body: Record<string, unknown>) => unknown): Promise<string> {
    const server = http.createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', async () => {
        const send = (status: number, value: unknown) => {
          response.statusCode = value === undefined ? 204 : status
          response.end(value === undefined ? undefined : JSON.stringify(value))
        }
        try {
          const text = Buffer.concat(chunks).toString('utf8')
          const url = new URL(request.url ?? '/', 'http://double')
          const method = request.method ?? 'GET'
          const make = () => answer(method, url, text === '' ? {} : JSON.parse(text))
          const gate = [...this.#gates].find(({ matches }) => matches(method, url.pathname))
          const early = gate?.isStale ? JSON.stringify(await make()) : undefined
          await gate?.pass()
          send(200, early === undefined ? await make() : JSON.parse(early))
        } catch (error) {
          const { status = 500, code = 'unavailable' } = error as { status?: number; code?: string }
          send(status, { error: { code, message: String((error as Error).message) } })
        }
      })
    })
    this.#servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
}

function signal(): { readonly fired: Promise<void>; fire(): void } {
  let fire: () => void = () => undefined
  const fired = new Promise<void>((resolve) => {
    fire = resolve
  })
  return { fired, fire }
}

function problem(status: number, code: string, message: string): Error {
  return Object.assign(new Error(message), { status, code })
}

const now = () => new Date().toISOString()

function lsnText(value: bigint): string {
  return `${(value >> 32n).toString(16).toUpperCase()}/${(value & 0xffff_ffffn).toString(16).toUpperCase()}`
}

function lsnValue(text: string): bigint {
  const [high = '', low = ''] = text.split('/')
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}
