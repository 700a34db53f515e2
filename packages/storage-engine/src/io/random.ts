/** Randomness as a seam: production uses the operating system's, the simulator a seeded stream. */
export interface Random {
  /** Uniform in [0, 2^32). */
  uint32(): number
  /** Uniform in [0, bound). */
  below(bound: number): number
  bytes(length: number): Uint8Array
}
