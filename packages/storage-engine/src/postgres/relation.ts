/** Fork numbers (ForkNumber, src/include/common/relpath.h). */
export const Fork = { main: 0, fsm: 1, vm: 2, init: 3 } as const
export type Fork = (typeof Fork)[keyof typeof Fork]

/** RelFileLocator plus fork: names one file of blocks. */
export interface RelationFork {
  readonly spcOid: number
  readonly dbOid: number
  readonly relNumber: number
  readonly fork: Fork
}
