import { useQueryClient } from '@tanstack/react-query'
import { StorageStateChangedDocument, StorageStateDocument, type StorageStateQuery } from '@/gql/graphql.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { useLive } from '@/lib/use-live.ts'

export type StorageState = StorageStateQuery['storageStatus']

const key = ['StorageState', {}]

/** SafeKeepers, PageServer and processes with their positions: asked for once, then by subscription. */
export function useStorageState() {
  const client = useQueryClient()
  const query = useGraphql(StorageStateDocument, {})
  useLive(StorageStateChangedDocument, {}, ({ storageStatusChanged }) => {
    client.setQueryData(key, { storageStatus: storageStatusChanged })
  })
  return { state: query.data?.storageStatus, error: query.error, retry: () => void query.refetch() }
}
