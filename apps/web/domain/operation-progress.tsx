'use client'

import { formatDuration } from '@tributary/ui/lib/format'
import { Callout } from '@tributary/ui/patterns/callout'
import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { Button } from '@tributary/ui/primitives/button'
import { useEffect } from 'react'
import { CancelOperationDocument, OperationDocument } from '@/gql/graphql.ts'
import { operationLabel } from '@/lib/operation-label.ts'
import { useAction } from '@/lib/use-action.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { OperationSteps } from './operation-steps.tsx'
import { OperationStateBadge } from './state-badges.tsx'
import { isFinal } from './states.ts'

export interface OperationProgressProps {
  operationId: string
  onFinished?(state: 'FINISHED' | 'FAILED'): void
}

/** An operation as it goes: by subscription, and by asking every two seconds in case that is away. */
export function OperationProgress({ operationId, onFinished }: OperationProgressProps) {
  const { data, error } = useGraphql(OperationDocument, { id: operationId }, { refetchEveryMs: 2_000 })
  const cancel = useAction(CancelOperationDocument, (answer) => answer.cancelOperation, {
    failureTitle: 'It could not be called off',
  })
  const operation = data?.operation
  const outcome =
    operation && isFinal(operation.state) ? (operation.state === 'FINISHED' ? 'FINISHED' : 'FAILED') : undefined
  // biome-ignore lint/correctness/useExhaustiveDependencies: told once, when the outcome is known
  useEffect(() => {
    if (outcome) onFinished?.(outcome)
  }, [outcome])
  if (error && !operation)
    return <Callout tone="caution">The operation runs, but its progress cannot be read now.</Callout>
  if (!operation) return <SkeletonLines count={4} />
  return (
    <div>
      <div className="mb-3 flex items-center justify-between gap-3">
        <span className="font-medium text-data">{operationLabel(operation.kind)}</span>
        <span className="flex items-center gap-3">
          {operation.durationMs === null ? null : (
            <span className="tabular text-data text-ink-faint">{formatDuration(operation.durationMs)}</span>
          )}
          <OperationStateBadge state={operation.state} />
        </span>
      </div>
      <OperationSteps operation={operation} />
      {operation.viewerCanCancel ? (
        <div className="mt-3 flex items-center justify-between gap-3">
          <span className="text-data text-ink-faint">It waits for another change of the project.</span>
          <Button size="small" isBusy={cancel.isBusy} onClick={() => void cancel.run({ id: operationId })}>
            Call it off
          </Button>
        </div>
      ) : null}
      {operation.state === 'FAILED' ? (
        <Callout tone="danger" title="It failed" className="mt-3">
          {operation.error ?? 'No reason was recorded.'}
        </Callout>
      ) : null}
    </div>
  )
}
