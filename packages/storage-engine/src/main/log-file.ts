import * as fs from 'node:fs'

/** One older file is kept beside it, so a process's log takes at most twice this. */
const LOG_BYTES_MAX = 20 * 1024 * 1024

/** Appends lines to a file that is moved to `<path>.1` when it is full. Failing to log never fails the caller. */
export class LogFile {
  readonly path: string
  #fd: number | undefined
  #sizeBytes = 0

  constructor(path: string) {
    this.path = path
  }

  write(line: string): void {
    try {
      this.#fd ??= this.#open()
      const bytes = Buffer.from(`${line}\n`)
      fs.writeSync(this.#fd, bytes)
      this.#sizeBytes += bytes.length
      if (this.#sizeBytes > LOG_BYTES_MAX) {
        this.close()
        fs.renameSync(this.path, `${this.path}.1`)
      }
    } catch {
      // A full disk shows in what the processes themselves report.
    }
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd)
    this.#fd = undefined
  }

  #open(): number {
    const fd = fs.openSync(this.path, 'a', 0o640)
    this.#sizeBytes = fs.fstatSync(fd).size
    return fd
  }
}
