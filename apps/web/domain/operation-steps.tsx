import { formatDuration } from '@tributary/ui/lib/format'
import { type StepState, Steps } from '@tributary/ui/patterns/steps'
import type { OperationDetailsFragment, OperationState } from '@/gql/graphql.ts'
import { operationLabel } from '@/lib/operation-label.ts'

const stepStates: Record<OperationState, StepState> = {
  SCHEDULING: 'waiting',
  RUNNING: 'running',
  FINISHED: 'done',
  FAILED: 'failed',
  CANCELLED: 'skipped',
  SKIPPED: 'skipped',
}

/** The steps of an operation with how long each took. */
export function OperationSteps({ operation }: { operation: OperationDetailsFragment }) {
  return (
    <Steps
      label={`Steps of ${operationLabel(operation.kind)}`}
      steps={operation.steps.map((step, index) => ({
        key: `${index}-${step.name}`,
        name: (
          <>
            {operationLabel(step.name)}
            {step.attempts > 1 ? <span className="text-ink-faint"> · attempt {step.attempts}</span> : null}
          </>
        ),
        state: stepStates[step.state],
        meta: step.durationMs === null ? undefined : formatDuration(step.durationMs),
        detail: step.error ?? undefined,
      }))}
    />
  )
}
