import type { Lsn } from '../../postgres/lsn.ts'
import type { ValueChain } from '../timeline/timeline-storage.ts'

/** A ValueChain while layers are visited from newest to oldest. */
export class ChainBuilder implements ValueChain {
  readonly lsns: Lsn[] = []
  readonly values: Uint8Array[] = []
  complete = false
  /** No older layer has to be looked at: complete, or an image layer says that the key does not exist. */
  isDone = false

  add(lsn: Lsn, value: Uint8Array, willInit: boolean): void {
    this.lsns.push(lsn)
    this.values.push(value)
    if (willInit) {
      this.complete = true
      this.isDone = true
    }
  }
}
