import { StorageError } from '../base/errors.ts'
import { type Address, type Connection, type ConnectOptions, formatAddress, type Network } from '../io/network.ts'

/** Connections to one address that are remembered, the newest: a proposer has one, and one more while it catches up. */
const REMEMBERED_MAX = 8

/** A network on which links to chosen addresses can be cut and mended, for drills. */
export class CuttableNetwork implements Network {
  readonly #network: Network
  readonly #cut = new Set<string>()
  readonly #connections = new Map<string, Connection[]>()

  constructor(network: Network) {
    this.#network = network
  }

  isCut(address: Address): boolean {
    return this.#cut.has(formatAddress(address))
  }

  /** Breaks what is connected there and refuses what tries to, until `mend`. */
  cut(address: Address): void {
    const name = formatAddress(address)
    this.#cut.add(name)
    for (const connection of this.#connections.get(name) ?? []) connection.destroy(cutError(name))
    this.#connections.delete(name)
  }

  mend(address: Address): void {
    this.#cut.delete(formatAddress(address))
  }

  listen(address: Address, onConnection: (connection: Connection) => void): ReturnType<Network['listen']> {
    return this.#network.listen(address, onConnection)
  }

  async connect(address: Address, options: ConnectOptions): Promise<Connection> {
    const name = formatAddress(address)
    if (this.#cut.has(name)) throw cutError(name)
    const connection = await this.#network.connect(address, options)
    if (this.#cut.has(name)) {
      connection.destroy()
      throw cutError(name)
    }
    const connections = this.#connections.get(name) ?? []
    this.#connections.set(name, [...connections.slice(1 - REMEMBERED_MAX), connection])
    return connection
  }
}

function cutError(address: string): StorageError {
  return new StorageError('unavailable', 'the link is cut for a drill', { address })
}
