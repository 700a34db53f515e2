import pg from 'pg'
import type { PostgresAddress } from '../../control-plane/compute-control.ts'

const WRITERS = 4
const CONNECT_MS_MAX = 3000
const STATEMENT_MS_MAX = 15_000
const PAUSE_MS = 20
export const DRILL_TABLE = 'tributary_fault_drill'

export interface DrillOutcome {
  readonly acknowledged: number
  readonly found: number
  readonly lost: number
  /** The longest time without an acknowledged commit. */
  readonly unavailableMs: number
  readonly maxCommitMs: number
}

/**
 * A ledger: writers insert numbered rows, one a transaction, and note which commits were acknowledged. Afterwards every
 * acknowledged number must be found. Writers follow the address when it changes.
 */
export class DrillWorkload {
  readonly #addressOf: () => Promise<PostgresAddress | null>
  readonly #password: string
  readonly #acknowledged = new Set<number>()
  #next = 1
  #lastCommitMs = 0
  #unavailableMs = 0
  #maxCommitMs = 0
  #isStopped = false
  #writers: Promise<void>[] = []

  constructor(addressOf: () => Promise<PostgresAddress | null>, password: string) {
    this.#addressOf = addressOf
    this.#password = password
  }

  async start(): Promise<void> {
    const client = await this.#connect()
    if (!client) throw new Error('the branch has no running compute')
    try {
      await client.query(`DROP TABLE IF EXISTS ${DRILL_TABLE}`)
      await client.query(
        `CREATE TABLE ${DRILL_TABLE} (id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp())`,
      )
    } finally {
      await client.end().catch(() => undefined)
    }
    this.#lastCommitMs = performance.now()
    this.#writers = Array.from({ length: WRITERS }, () => this.#write())
  }

  get acknowledgedCount(): number {
    return this.#acknowledged.size
  }

  get msSinceCommit(): number {
    return performance.now() - this.#lastCommitMs
  }

  async finish(): Promise<DrillOutcome> {
    this.#isStopped = true
    await Promise.all(this.#writers)
    const client = await this.#connect()
    if (!client) throw new Error('the branch has no running compute at the end of the drill')
    try {
      const { rows } = await client.query<{ id: string }>(`SELECT id FROM ${DRILL_TABLE}`)
      const found = new Set(rows.map(({ id }) => Number(id)))
      const lost = [...this.#acknowledged].filter((id) => !found.has(id)).length
      await client.query(`DROP TABLE ${DRILL_TABLE}`)
      return {
        acknowledged: this.#acknowledged.size,
        found: found.size,
        lost,
        unavailableMs: this.#unavailableMs,
        maxCommitMs: this.#maxCommitMs,
      }
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  async #write(): Promise<void> {
    let client: pg.Client | null = null
    while (!this.#isStopped) {
      try {
        client ??= await this.#connect()
        if (!client) {
          await sleep(PAUSE_MS * 5)
          continue
        }
        const id = this.#next++
        const startedMs = performance.now()
        await client.query(`INSERT INTO ${DRILL_TABLE} (id) VALUES ($1)`, [id])
        const nowMs = performance.now()
        this.#acknowledged.add(id)
        this.#maxCommitMs = Math.max(this.#maxCommitMs, nowMs - startedMs)
        this.#unavailableMs = Math.max(this.#unavailableMs, nowMs - this.#lastCommitMs)
        this.#lastCommitMs = nowMs
        await sleep(PAUSE_MS)
      } catch {
        // Outcome unknown: the row may be there or not, and counts neither way.
        await client?.end().catch(() => undefined)
        client = null
        await sleep(PAUSE_MS * 5)
      }
    }
    await client?.end().catch(() => undefined)
  }

  async #connect(): Promise<pg.Client | null> {
    const address = await this.#addressOf()
    if (!address) return null
    const client = new pg.Client({
      ...address,
      user: 'postgres',
      password: this.#password,
      database: 'postgres',
      application_name: 'fault-drill',
      connectionTimeoutMillis: CONNECT_MS_MAX,
      query_timeout: STATEMENT_MS_MAX,
    })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
