import { type AcceptorMessage, encodeSafekeeperMessage, type Refusal } from '../protocol/safekeeper-messages.ts'

/** Where one proposer's connection is reached. */
export interface AcceptorPeer {
  send(frame: Uint8Array): void
  /** After the frames sent so far. */
  close(): void
}

/** The proposers connected to one timeline. */
export class AcceptorPeers {
  readonly #peers = new Map<number, AcceptorPeer>()
  #lastId = 0

  get count(): number {
    return this.#peers.size
  }

  /** The number that no other connection has or had. */
  add(peer: AcceptorPeer): number {
    const id = ++this.#lastId
    this.#peers.set(id, peer)
    return id
  }

  has(id: number): boolean {
    return this.#peers.has(id)
  }

  /** False when it was gone already. */
  remove(id: number): boolean {
    return this.#peers.delete(id)
  }

  /** Of no effect once the connection is gone. */
  send(id: number, message: AcceptorMessage): void {
    this.#peers.get(id)?.send(encodeSafekeeperMessage(message))
  }

  /** Tells one why, and closes its connection. */
  refuse(id: number, refusal: Omit<Refusal, 'kind'>): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    this.#peers.delete(id)
    end(peer, refusal)
  }

  refuseAll(refusal: Omit<Refusal, 'kind'>): void {
    for (const peer of this.#peers.values()) end(peer, refusal)
    this.#peers.clear()
  }
}

function end(peer: AcceptorPeer, refusal: Omit<Refusal, 'kind'>): void {
  peer.send(encodeSafekeeperMessage({ kind: 'refusal', ...refusal }))
  peer.close()
}
