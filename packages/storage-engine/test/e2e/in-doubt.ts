/**
 * Transactions that are open or prepared while columnar layers are made, so that the layers hold rows whose transactions
 * are in doubt at the layers' LSN. Nothing else writes to their table: their blocks stay as the layers have them.
 */
import type pg from 'pg'
import { Lsn } from '../../src/postgres/lsn.ts'
import type { SnapshotPlan } from '../../src/protocol/snapshot-plan.ts'
import type { Stack } from '../stack-fixture.ts'

export const HELD_SCHEMA: readonly string[] = [
  // New versions stay on the page of the old ones.
  'create table held (id int primary key, n int, pad text) with (fillfactor = 40, autovacuum_enabled = off)',
  `insert into held select i, 0, repeat('h', 100) from generate_series(1, 12000) i`,
]

/** Ids that one transaction changes, and by how many the next ones begin later: blocks of their own. */
const IDS = 20
const STRIDE = 100
const KINDS = ['committed', 'rolledBack', 'preparedCommitted', 'preparedRolledBack'] as const
type Kind = (typeof KINDS)[number]

interface Held {
  readonly kind: Kind
  readonly gid: string
  readonly client: pg.Client | undefined
  readonly blocks: readonly number[]
  /** All that it wrote lies before. */
  readonly writtenLsn: Lsn
  /** It had not ended at the first, and had at the second. */
  lastOpenLsn: Lsn
  endedLsn: Lsn
}

/** Transactions whose rows came from a layer at whose LSN they were in doubt, by how they ended; `open`: not by the query's LSN. */
export type InDoubtCounts = Record<Kind | 'open' | 'preparedOpen', number>

export class InDoubt {
  readonly #stack: Stack
  readonly #all: Held[] = []
  #live: Held[] = []
  #nextId = 1
  readonly counts: InDoubtCounts = {
    committed: 0,
    rolledBack: 0,
    preparedCommitted: 0,
    preparedRolledBack: 0,
    open: 0,
    preparedOpen: 0,
  }

  constructor(stack: Stack) {
    this.#stack = stack
  }

  /** Begins one of each kind, with subtransactions; returns an LSN after all that they wrote. */
  async begin(): Promise<Lsn> {
    for (const kind of KINDS) this.#live.push(await this.#beginOne(kind))
    return this.#live.at(-1)!.writtenLsn
  }

  /** Ends those that are open; returns LSNs at which they were open, and had ended. */
  async end(): Promise<{ readonly openLsn: Lsn; readonly endedLsn: Lsn }> {
    const openLsn = await currentLsn(this.#stack)
    for (const held of this.#live) {
      const word = held.kind === 'committed' || held.kind === 'preparedCommitted' ? 'commit' : 'rollback'
      if (held.client) {
        await held.client.query(word)
        await held.client.end()
      } else await this.#stack.query(`${word} prepared '${held.gid}'`)
    }
    const endedLsn = await currentLsn(this.#stack)
    for (const held of this.#live) Object.assign(held, { lastOpenLsn: openLsn, endedLsn })
    this.#all.push(...this.#live)
    this.#live = []
    return { openLsn, endedLsn }
  }

  /** Leaves nothing open. */
  async close(): Promise<void> {
    if (this.#live.length > 0) await this.end()
  }

  /** Adds those whose rows a query at `lsn` took from layers in which they are in doubt. */
  count({ layers, dirtyBlocks }: SnapshotPlan, lsn: Lsn): void {
    for (const { kind, blocks, writtenLsn, lastOpenLsn, endedLsn } of this.#all) {
      const isInLayer = blocks.some((block) => {
        if (dirtyBlocks.some(([first, count]) => block >= first && block < first + count)) return false
        const layer = layers.find(
          ({ firstBlock, blockCount }) => block >= firstBlock && block < firstBlock + blockCount,
        )
        if (!layer) return false
        const layerLsn = Lsn.parse(layer.lsn)
        return layerLsn >= writtenLsn && layerLsn <= lastOpenLsn
      })
      if (!isInLayer) continue
      const isPrepared = kind === 'preparedCommitted' || kind === 'preparedRolledBack'
      if (lsn >= endedLsn) this.counts[kind]++
      else if (lsn <= lastOpenLsn) this.counts[isPrepared ? 'preparedOpen' : 'open']++
    }
  }

  async #beginOne(kind: Kind): Promise<Held> {
    const client = await this.#stack.client()
    const gid = `held-${this.#nextId}`
    const first = this.#nextId
    this.#nextId += STRIDE
    const blocks = new Set<number>()
    const change = async (sql: string): Promise<void> => {
      const { rows } = await client.query<{ block: string }>(`${sql} returning (ctid::text::point)[0]::int as block`)
      for (const { block } of rows) blocks.add(Number(block))
    }
    await client.query('begin')
    await change(`update held set n = n + 1 where id between ${first} and ${first + IDS}`)
    await client.query('savepoint kept')
    await change(`update held set n = n + 10 where id between ${first + 5} and ${first + IDS}`)
    await client.query('release kept')
    await client.query('savepoint gone')
    await change(`delete from held where id between ${first} and ${first + 3}`)
    await client.query('rollback to gone')
    await change(`delete from held where id between ${first + 10} and ${first + 12}`)
    const isPrepared = kind === 'preparedCommitted' || kind === 'preparedRolledBack'
    if (isPrepared) {
      await client.query(`prepare transaction '${gid}'`)
      await client.end()
    }
    const writtenLsn = await currentLsn(this.#stack)
    const none = Lsn.zero
    return {
      kind,
      gid,
      client: isPrepared ? undefined : client,
      blocks: [...blocks],
      writtenLsn,
      lastOpenLsn: none,
      endedLsn: none,
    }
  }
}

export async function currentLsn(stack: Stack): Promise<Lsn> {
  const [row] = await stack.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn')
  return Lsn.parse(row!.lsn)
}
