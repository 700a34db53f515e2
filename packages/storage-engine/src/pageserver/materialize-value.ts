import { encodePageImage } from '../redo/page-change.ts'
import { isPageKey } from './key.ts'
import { rebuildPage } from './rebuild-page.ts'
import type { ValueChain } from './timeline/timeline-storage.ts'

/** Folds a complete chain of any key into one value that needs nothing older. Empty: the key does not exist. */
export function materializeValue(key: Uint8Array, chain: ValueChain): Uint8Array {
  if (isPageKey(key)) return encodePageImage(rebuildPage(key, chain))
  return chain.values[0] ?? new Uint8Array(0)
}
