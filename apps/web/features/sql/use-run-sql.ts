import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import {
  CancelSqlDocument,
  RunSqlDocument,
  type RunSqlInput,
  type RunSqlMutation,
  SqlSideDocument,
} from '@/gql/graphql.ts'
import { errorText } from '@/lib/api-errors.ts'
import { operationName, request } from '@/lib/graphql-client.ts'

export type SqlResult = RunSqlMutation['runSql']

export interface SqlRun {
  readonly input: RunSqlInput
  readonly startedMs: number
  readonly result?: SqlResult
  /** The API did not answer: nothing is known of the statement's outcome. */
  readonly failure?: string
  readonly isCancelling?: boolean
}

/** One statement text at a time: run, cancel, and what came of the last. */
export function useRunSql(): {
  run: SqlRun | undefined
  isRunning: boolean
  start(input: RunSqlInput): void
  cancel(): void
} {
  const [run, setRun] = useState<SqlRun>()
  const client = useQueryClient()
  const current = useRef<string>(undefined)
  // Leaving the page ends what still runs.
  useEffect(() => () => void (current.current && cancelQuery(current.current)), [])

  const start = (input: RunSqlInput) => {
    const queryId = crypto.randomUUID()
    const started: SqlRun = { input, startedMs: Date.now() }
    current.current = queryId
    setRun(started)
    const finish = (outcome: Partial<SqlRun>) => {
      if (current.current !== queryId) return
      current.current = undefined
      setRun({ ...started, ...outcome })
      void client.invalidateQueries({ queryKey: [operationName(SqlSideDocument)] })
    }
    request(RunSqlDocument, { input: { ...input, queryId } }).then(
      ({ runSql }) => finish({ result: runSql }),
      (error: unknown) => finish({ failure: errorText(error) }),
    )
  }
  const cancel = () => {
    if (!current.current) return
    setRun((before) => before && { ...before, isCancelling: true })
    cancelQuery(current.current)
  }
  return { run, isRunning: run !== undefined && run.result === undefined && run.failure === undefined, start, cancel }
}

function cancelQuery(queryId: string): void {
  // A query that has ended meanwhile needs no cancel.
  request(CancelSqlDocument, { queryId }).catch(() => undefined)
}
