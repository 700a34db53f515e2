import * as fs from 'node:fs'
import * as path from 'node:path'

/**
 * Links to the Unix sockets of the computes that run on this machine, by the port they have over TCP: a proxy on the same
 * machine takes that way, which costs less than TCP. Only this account may enter the folder.
 */
export class ComputeSockets {
  readonly folder: string

  /** Links of an earlier run are removed. */
  constructor(folder: string) {
    this.folder = folder
    fs.rmSync(folder, { recursive: true, force: true })
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  }

  add(socketFolder: string, postgresPort: number): void {
    this.remove(postgresPort)
    fs.symlinkSync(path.join(socketFolder, socketName(postgresPort)), this.#linkOf(postgresPort))
  }

  remove(postgresPort: number): void {
    fs.rmSync(this.#linkOf(postgresPort), { force: true })
  }

  #linkOf(postgresPort: number): string {
    return path.join(this.folder, socketName(postgresPort))
  }
}

/** UNIXSOCK_PATH in src/include/libpq/pqcomm.h, PG 18. */
function socketName(port: number): string {
  return `.s.PGSQL.${port}`
}
