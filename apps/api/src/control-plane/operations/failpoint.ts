/**
 * A seam for crash tests: ends the process as SIGKILL would, at the place named in TRIBUTARY_API_FAILPOINT
 * (`<kind>:<step>:<before|after>`), the first time it is reached. Outside tests the variable is not set.
 */
export type FailpointPlace = 'before' | 'after'

export interface Failpoints {
  reach(kind: string, step: string, place: FailpointPlace): void
}

export const noFailpoints: Failpoints = { reach: () => undefined }

export function readFailpoints(variable: string | undefined): Failpoints {
  if (!variable) return noFailpoints
  return {
    reach(kind, step, place) {
      if (variable === `${kind}:${step}:${place}`) process.kill(process.pid, 'SIGKILL')
    },
  }
}
