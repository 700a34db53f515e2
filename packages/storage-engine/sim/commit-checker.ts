import { Lsn } from '../src/postgres/lsn.ts'

/** A promise that was broken. The simulation stops with it. */
export class PromiseBroken extends Error {
  override readonly name = 'PromiseBroken'
}

/**
 * The one history that readers may ever see. It grows by what proposers report as committed, and every later claim is held
 * against it:
 *
 *   commit-durability  a new leader starts at or after everything committed before
 *   single-history     two commits of one LSN have the same bytes
 *   election-safety    no term is won twice
 */
export class CommitChecker {
  readonly startLsn: Lsn
  #bytes = new Uint8Array(1 << 16)
  #endLsn: number
  readonly #terms = new Map<number, string>()
  /** The first promise broken; later ones follow from it. */
  broken: PromiseBroken | undefined

  constructor(startLsn: Lsn) {
    this.startLsn = startLsn
    this.#endLsn = startLsn
  }

  /** End of all that was ever reported as committed. */
  get endLsn(): Lsn {
    return this.#endLsn as Lsn
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#endLsn - this.startLsn)
  }

  won(name: string, term: number, startLsn: Lsn): void {
    const other = this.#terms.get(term)
    if (other !== undefined) this.fail(`election-safety: ${name} and ${other} both won term ${term}`)
    this.#terms.set(term, name)
    if (startLsn < this.#endLsn) {
      const ends = `${Lsn.format(startLsn)}, but ${Lsn.format(this.endLsn)} is committed`
      this.fail(`commit-durability: ${name} starts term ${term} at ${ends}`)
    }
  }

  /** [lsn, lsn + bytes.length) is committed. */
  add(name: string, lsn: Lsn, bytes: Uint8Array): void {
    if (lsn > this.#endLsn) this.fail(`single-history: ${name} commits at ${Lsn.format(lsn)}, leaving a hole`)
    const known = Math.min(this.#endLsn - lsn, bytes.length)
    const at = lsn - this.startLsn
    if (known > 0 && Buffer.compare(this.#bytes.subarray(at, at + known), bytes.subarray(0, known)) !== 0) {
      this.fail(`single-history: ${name} commits other bytes at ${Lsn.format(lsn)}`)
    }
    if (known >= bytes.length) return
    this.#reserve(at + bytes.length)
    this.#bytes.set(bytes.subarray(known), at + known)
    this.#endLsn = lsn + bytes.length
  }

  fail(message: string): never {
    this.broken ??= new PromiseBroken(message)
    throw this.broken
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2))
    grown.set(this.#bytes)
    this.#bytes = grown
  }
}

/** One proposer's view: what it wrote and what it was told. */
export class WrittenTerm {
  readonly #name: string
  readonly #checker: CommitChecker
  #pieces: { lsn: Lsn; bytes: Uint8Array }[] = []
  #commitLsn: Lsn = Lsn.zero

  constructor(name: string, checker: CommitChecker) {
    this.#name = name
    this.#checker = checker
  }

  wrote(lsn: Lsn, bytes: Uint8Array): void {
    this.#pieces.push({ lsn, bytes: bytes.slice() })
  }

  committed(commitLsn: Lsn): void {
    if (commitLsn < this.#commitLsn) this.#checker.fail(`monotone-commit: ${this.#name} goes back`)
    this.#commitLsn = commitLsn
    for (let piece = this.#pieces[0]; piece && piece.lsn < commitLsn; piece = this.#pieces[0]) {
      const length = Math.min(piece.bytes.length, commitLsn - piece.lsn)
      this.#checker.add(this.#name, piece.lsn, piece.bytes.subarray(0, length))
      if (length < piece.bytes.length) return
      this.#pieces.shift()
    }
  }
}
