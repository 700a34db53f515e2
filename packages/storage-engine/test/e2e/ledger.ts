import pg from 'pg'

/**
 * A workload that knows what it was promised. Each client moves money between accounts and writes one numbered ledger row
 * in the same transaction; the row's fate is noted as the server told it:
 *
 *   acknowledged  COMMIT returned: the row must be found for ever
 *   unknown       the connection broke in COMMIT: the row may be found
 *   refused       an error before COMMIT: the row must not be found
 */
export interface LedgerOptions {
  readonly clientCount: number
  /** Where to connect now; asked anew for every connection, since a failover may move it. */
  readonly connection: () => pg.ClientConfig
  readonly accountCount?: number
}

export interface LedgerFindings {
  readonly acknowledged: number
  readonly found: number
  /** Acknowledged rows that are not there: must be empty. */
  readonly lost: string[]
  /** Rows found though their transaction was refused: must be empty. */
  readonly invented: string[]
  /** Sum over accounts; transfers keep it at zero. */
  readonly balanceSum: number
  /** Sum of ledger amounts minus what the accounts say was received: must be zero. */
  readonly mismatch: number
}

/** A statement that gets no answer for this long is given up as unknown and its connection dropped. */
const ANSWER_TIMEOUT_MS = 60_000

export class Ledger {
  readonly #options: LedgerOptions
  readonly #acknowledged = new Set<string>()
  readonly #unknown = new Set<string>()
  #stopping = false
  #clients: Promise<void>[] = []
  #lastError = ''

  constructor(options: LedgerOptions) {
    this.#options = options
  }

  get acknowledgedCount(): number {
    return this.#acknowledged.size
  }

  get lastError(): string {
    return this.#lastError
  }

  async createTables(): Promise<void> {
    const accounts = this.#options.accountCount ?? 100
    await this.#withClient(async (client) => {
      await client.query(`
        create table if not exists account (id int primary key, balance bigint not null, received bigint not null);
        create table if not exists ledger (client int, seq int, amount int not null, note text, primary key (client, seq));
        create index if not exists ledger_note on ledger (note);
        insert into account select id, 0, 0 from generate_series(1, ${accounts}) id on conflict do nothing`)
    })
  }

  start(): void {
    this.#stopping = false
    const offset = this.#clients.length
    for (let index = 0; index < this.#options.clientCount; index++) this.#clients.push(this.#runClient(offset + index))
  }

  /** Resolves when `count` more transactions have been acknowledged; rejects after `timeoutMs`. */
  async progress(count: number, timeoutMs = 120_000): Promise<void> {
    const wanted = this.#acknowledged.size + count
    const deadlineMs = Date.now() + timeoutMs
    while (this.#acknowledged.size < wanted) {
      if (Date.now() > deadlineMs) {
        throw new Error(`ledger stands still at ${this.#acknowledged.size} of ${wanted}: ${this.#lastError}`)
      }
      await pause(20)
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#clients)
  }

  async findings(): Promise<LedgerFindings> {
    return await this.#withClient(async (client) => {
      const rows = await client.query<{ key: string }>(`select client || ':' || seq as key from ledger`)
      const found = new Set(rows.rows.map((row) => row.key))
      const sums = await client.query<{ balance: string; received: string; amount: string }>(`
        select sum(balance)::text balance, sum(received)::text received,
               (select coalesce(sum(amount), 0)::text from ledger) amount from account`)
      const sum = sums.rows[0]!
      return {
        acknowledged: this.#acknowledged.size,
        found: found.size,
        lost: [...this.#acknowledged].filter((key) => !found.has(key)),
        invented: [...found].filter((key) => !this.#acknowledged.has(key) && !this.#unknown.has(key)),
        balanceSum: Number(sum.balance),
        mismatch: Number(sum.amount) - Number(sum.received),
      }
    })
  }

  async #runClient(clientNumber: number): Promise<void> {
    const accounts = this.#options.accountCount ?? 100
    let seq = 0
    let client: pg.Client | undefined
    while (!this.#stopping) {
      try {
        client ??= await openClient(this.#options.connection())
        seq++
        // Accounts in ascending order: no deadlocks. The spread depends on client and number only, so a run can be redone.
        const low = 1 + ((clientNumber * 7 + seq * 13) % (accounts - 1))
        const high = low + 1 + ((clientNumber + seq * 3) % (accounts - low))
        const amount = (seq % 17) + 1
        await client.query('begin')
        await client.query('update account set balance = balance - $2 where id = $1', [low, amount])
        await client.query('update account set balance = balance + $2, received = received + $2 where id = $1', [
          high,
          amount,
        ])
        await client.query('insert into ledger values ($1, $2, $3, $4)', [clientNumber, seq, amount, `n${seq % 50}`])
        const key = `${clientNumber}:${seq}`
        this.#unknown.add(key)
        await client.query('commit')
        this.#acknowledged.add(key)
        this.#unknown.delete(key)
      } catch (error) {
        this.#lastError = error instanceof Error ? error.message : String(error)
        const broken = client
        client = undefined
        if (broken !== undefined) void broken.end().catch(() => {})
        await pause(50)
      }
    }
    await client?.end().catch(() => {})
  }

  async #withClient<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> {
    const client = await openClient(this.#options.connection())
    try {
      return await work(client)
    } finally {
      await client.end().catch(() => {})
    }
  }
}

async function openClient(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client({ ...config, connectionTimeoutMillis: 5_000, query_timeout: ANSWER_TIMEOUT_MS })
  // Servers are killed under these clients on purpose; the failing query reports it.
  client.on('error', () => {})
  await client.connect()
  return client
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
