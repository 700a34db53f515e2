'use client'

import { type QueryClient, useQueryClient } from '@tanstack/react-query'
import { toast } from '@tributary/ui/patterns/toast'
import { useEffect, useRef } from 'react'
import { ProjectEndpointsDocument, ProjectOperationsDocument, ProjectTipsDocument } from '@/gql/graphql.ts'
import { onReconnect } from '@/lib/live-client.ts'
import { operationLabel } from '@/lib/operation-label.ts'
import { containsEntity, type Entity, patchEntity } from '@/lib/patch-entity.ts'
import { refreshAll } from '@/lib/use-graphql.ts'
import { useLive } from '@/lib/use-live.ts'

const refreshWaitMs = 400
const finalStates = new Set(['FINISHED', 'FAILED', 'CANCELLED', 'SKIPPED'])

/** Keeps every answer on screen in step with what the API reports about this project. Shows nothing. */
export function ProjectLive({ projectId }: { projectId: string }) {
  const client = useQueryClient()
  const refreshSoon = useRefreshSoon(client)

  useLive(ProjectTipsDocument, { projectId }, ({ branchTipMoved }) => patchAll(client, branchTipMoved))
  useLive(ProjectEndpointsDocument, { projectId }, ({ endpointChanged }) => {
    patchAll(client, endpointChanged)
    refreshSoon()
  })
  useLive(ProjectOperationsDocument, { projectId }, ({ operationChanged: operation }) => {
    const isKnown = patchAll(client, operation)
    const isFinal = finalStates.has(operation.state)
    if (!isKnown || isFinal) refreshSoon()
    if (operation.state === 'FAILED') {
      toast.failure(`${operationLabel(operation.kind)} failed`, operation.error ?? undefined)
    }
  })
  useEffect(() => onReconnect(() => void refreshAll(client)), [client])
  return null
}

/** Puts the entity into every cached answer. Returns whether any of them held it. */
function patchAll(client: QueryClient, entity: Entity): boolean {
  let isKnown = false
  for (const query of client.getQueryCache().getAll()) {
    if (!containsEntity(query.state.data, entity.id)) continue
    isKnown = true
    client.setQueryData(query.queryKey, (data: unknown) => patchEntity(data, entity))
  }
  return isKnown
}

/** Many changes in a burst cause one refresh. */
function useRefreshSoon(client: QueryClient): () => void {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  return () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      void refreshAll(client)
    }, refreshWaitMs)
  }
}
