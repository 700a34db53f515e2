import type { RelationFork } from '../postgres/relation.ts'
import type { FuseSeed } from './fuse-seed.ts'

/** What the reader thread tells the main thread. Descriptors are not shared: each side opens the cache file itself. */
export type ReaderMessage =
  /** First use of a remote segment: where its pages come from and the shared map of those that are here. */
  | {
      readonly kind: 'segment-opened'
      readonly nodeId: number
      readonly relation: RelationFork
      readonly firstBlock: number
      readonly presence: SharedArrayBuffer
    }
  /** A READ with pages that are not here: fetch, install, then reply to the kernel. */
  | {
      readonly kind: 'read-miss'
      readonly nodeId: number
      readonly uniqueLow: number
      readonly uniqueHigh: number
      readonly offset: number
      /** Cut to the end of the file. */
      readonly byteCount: number
    }
  /** A write or truncate that covers an absent page in part: fetch the pages, make the change, then send `reply`. */
  | {
      readonly kind: 'change-after-fill'
      readonly nodeId: number
      readonly pages: readonly number[]
      readonly change:
        | { readonly kind: 'write'; readonly position: number; readonly data: Uint8Array }
        | { readonly kind: 'truncate'; readonly sizeBytes: number }
      readonly reply: Uint8Array
    }
  /** A sequential reader has come to a marked page; its read ends before `endPage`. */
  | { readonly kind: 'mark-reached'; readonly nodeId: number; readonly endPage: number }
  | { readonly kind: 'segment-dropped'; readonly nodeId: number }
  | { readonly kind: 'failure'; readonly text: string }
  /** The device is gone: unmounted or aborted. */
  | { readonly kind: 'ended'; readonly reason: string }

/** What the main thread tells the reader thread, which looks when `mailFlag` is set and a request has arrived. */
export type DriverMessage = { readonly kind: 'seed'; readonly seed: FuseSeed }

/** Start data of the reader thread. */
export interface ReaderStart {
  readonly device: number
  readonly cacheFolder: string
  /** Shared: [0] 1 when a DriverMessage waits; from [16] on request counts by opcode. */
  readonly control: SharedArrayBuffer
}

/** Words of the control buffer. */
export const ControlWord = { mail: 0, readHits: 1, readMisses: 2, opcodes: 16, count: 96 } as const
