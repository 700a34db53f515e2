import { StorageError } from '../base/errors.ts'
import type { Disk, DiskFile } from '../io/disk.ts'
import { WAL_SEGMENT_SIZE, WAL_TIMELINE } from '../postgres/constants.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { formatSegmentName } from '../wal/segment.ts'
import { ZEROS } from './wal-scan.ts'

export interface SegmentMakerOptions {
  readonly disk: Disk
  readonly directory: string
  /** `zero-fill` writes a new segment out, so that later syncs carry no file metadata. */
  readonly allocation: 'zero-fill' | 'sparse'
}

interface SegmentInTheMaking {
  readonly startLsn: Lsn
  /** `naming`: whole, being renamed; its open file may be written already. */
  stage: 'filling' | 'naming' | 'ready'
  file: DiskFile | undefined
  isCancelled: boolean
  isTaken: boolean
  done: Promise<void>
}

/**
 * New WAL segments: all zeros, under another name until they are whole. The one that is written next is made while the one
 * before it is being written.
 */
export class SegmentMaker {
  readonly #options: SegmentMakerOptions
  #next: SegmentInTheMaking | undefined
  /** A segment that is being written could not be given its name. */
  #isNameMissing = false

  constructor(options: SegmentMakerOptions) {
    this.#options = options
  }

  /** One is being made, or taken and not named yet. */
  get isBusy(): boolean {
    return this.#next !== undefined
  }

  /** Makes a segment now; its name is durable after a sync of the directory. */
  async make(startLsn: Lsn): Promise<void> {
    const { disk } = this.#options
    const path = this.#path(startLsn)
    const file = await disk.open(`${path}.new`, 'write')
    try {
      await this.#fill(file)
    } finally {
      await file.close()
    }
    await disk.rename(`${path}.new`, path)
  }

  /** Fills the next segment in the background. */
  prepare(startLsn: Lsn): void {
    const next: SegmentInTheMaking = {
      startLsn,
      stage: 'filling',
      file: undefined,
      isCancelled: false,
      isTaken: false,
      done: Promise.resolve(),
    }
    this.#next = next
    next.done = this.#prepare(next).catch(() => {
      // The writer makes the segment itself then, and meets the same failure if it lasts.
      if (!next.isTaken && this.#next === next && next.stage === 'filling') next.isCancelled = true
      if (next.isTaken) this.#isNameMissing = true
    })
  }

  /** The prepared segment, from now on the caller's; undefined when it is not filled yet, and then never will be. */
  take(startLsn: Lsn): { readonly file: DiskFile; readonly isNamed: boolean } | undefined {
    const next = this.#next
    if (next?.startLsn === startLsn && next.file !== undefined && next.stage !== 'filling') {
      next.isTaken = true
      const isNamed = next.stage === 'ready'
      if (isNamed) this.#next = undefined
      return { file: next.file, isNamed }
    }
    if (next !== undefined) next.isCancelled = true
    this.#next = undefined
    return undefined
  }

  /** Resolves when segments that were taken have their names. Rejects with `unavailable` when one could not be named. */
  async settle(): Promise<void> {
    await this.#next?.done
    if (this.#isNameMissing) throw new StorageError('unavailable', 'wal segment could not be named')
  }

  /** Gives up what is being made, and resolves when nothing of it is under way. */
  async drop(): Promise<void> {
    const next = this.#next
    if (next === undefined) return
    next.isCancelled = true
    await next.done
    this.#next = undefined
    if (!next.isTaken) await next.file?.close()
  }

  async #prepare(next: SegmentInTheMaking): Promise<void> {
    const { disk, directory } = this.#options
    const path = this.#path(next.startLsn)
    const file = await disk.open(`${path}.new`, 'write')
    next.file = file
    await this.#fill(file)
    if (next.isCancelled) {
      await file.close()
      await disk.remove(`${path}.new`)
      return
    }
    next.stage = 'naming'
    await disk.rename(`${path}.new`, path)
    await disk.syncDirectory(directory)
    next.stage = 'ready'
    if (next.isTaken && this.#next === next) this.#next = undefined
  }

  async #fill(file: DiskFile): Promise<void> {
    if (this.#options.allocation === 'zero-fill') {
      for (let offset = 0; offset < WAL_SEGMENT_SIZE; offset += ZEROS.length) await file.write(ZEROS, offset)
    } else {
      await file.truncate(WAL_SEGMENT_SIZE)
    }
    await file.sync()
  }

  #path(startLsn: Lsn): string {
    return `${this.#options.directory}/${formatSegmentName(WAL_TIMELINE, startLsn)}`
  }
}
