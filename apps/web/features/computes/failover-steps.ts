import type { StepState } from '@tributary/ui/patterns/steps'

/** Times since the request, in ms; null while the step has not happened. */
export interface FailoverTimes {
  readonly detectedMs: number | null
  readonly electedMs: number | null
  readonly startedMs: number | null
  readonly firstCommitMs: number | null
}

export interface FailoverStep {
  readonly name: string
  readonly state: StepState
  readonly atMs: number | undefined
  readonly tookMs: number | undefined
}

const names: readonly [keyof FailoverTimes, string][] = [
  ['detectedMs', 'Loss detected'],
  ['electedMs', 'New term elected, old compute fenced'],
  ['startedMs', 'Postgres started at the end of the log'],
  ['firstCommitMs', 'First commit'],
]

/** The steps with how long each took after the one before; the first that has not happened runs. */
export function failoverSteps(report: FailoverTimes): FailoverStep[] {
  let beforeMs = 0
  let isWaiting = false
  return names.map(([key, name]) => {
    const atMs = report[key] ?? undefined
    if (atMs === undefined) {
      const state = isWaiting ? 'waiting' : 'running'
      isWaiting = true
      return { name, state, atMs, tookMs: undefined }
    }
    const tookMs = Math.max(0, atMs - beforeMs)
    beforeMs = atMs
    return { name, state: 'done', atMs, tookMs }
  })
}
