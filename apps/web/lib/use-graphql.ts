import {
  type InfiniteData,
  keepPreviousData,
  type QueryClient,
  type UseInfiniteQueryResult,
  type UseQueryResult,
  useInfiniteQuery,
  useQuery,
} from '@tanstack/react-query'
import type { TypedDocumentString } from '@/gql/graphql.ts'
import { operationName, request } from './graphql-client.ts'

export interface UseGraphqlOptions {
  isEnabled?: boolean
  /** Ask again this often, for values that no subscription carries. */
  refetchEveryMs?: number
  /** While new variables load, go on showing the old answer (search, paging). */
  keepPrevious?: boolean
  /** How long an answer counts as fresh. Answers about a fixed LSN never age. */
  staleMs?: number
}

/** A query of the API, cached under the operation's name and its variables. */
export function useGraphql<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
  options: UseGraphqlOptions = {},
): UseQueryResult<Data> {
  return useQuery({
    queryKey: [operationName(document), variables],
    queryFn: ({ signal }) => request(document, variables, { signal }),
    enabled: options.isEnabled ?? true,
    refetchInterval: options.refetchEveryMs ?? false,
    ...(options.keepPrevious ? { placeholderData: keepPreviousData } : {}),
    ...(options.staleMs === undefined ? {} : { staleTime: options.staleMs }),
  }) as UseQueryResult<Data>
}

interface Connection<Node> {
  nodes: readonly Node[]
  pageInfo: { hasNextPage: boolean; endCursor?: string | null }
}

export interface GraphqlPages<Node> {
  nodes: Node[] | undefined
  error: Error | null
  hasMore: boolean
  isLoadingMore: boolean
  loadMore(): void
  retry(): void
}

/** A connection of the API as one growing list. `variables` leaves `after` out. */
export function useGraphqlPages<Data, Variables extends { after?: string | null }, Node>(
  document: TypedDocumentString<Data, Variables>,
  variables: Omit<Variables, 'after'>,
  pick: (data: Data) => Connection<Node> | null | undefined,
  options: Pick<UseGraphqlOptions, 'isEnabled' | 'refetchEveryMs'> = {},
): GraphqlPages<Node> {
  const query: UseInfiniteQueryResult<InfiniteData<Data>> = useInfiniteQuery({
    queryKey: [operationName(document), 'pages', variables],
    queryFn: ({ signal, pageParam }) => request(document, { ...variables, after: pageParam } as Variables, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last: Data) => {
      const info = pick(last)?.pageInfo
      return info?.hasNextPage ? (info.endCursor ?? null) : null
    },
    enabled: options.isEnabled ?? true,
    refetchInterval: options.refetchEveryMs ?? false,
    placeholderData: keepPreviousData,
  })
  return {
    nodes: query.data?.pages.flatMap((page) => [...(pick(page)?.nodes ?? [])]),
    error: query.error,
    hasMore: query.hasNextPage,
    isLoadingMore: query.isFetchingNextPage,
    loadMore: () => void query.fetchNextPage(),
    retry: () => void query.refetch(),
  }
}

/** Everything on screen is asked for again: after a change, or when live updates may have been missed. */
export function refreshAll(client: QueryClient): Promise<void> {
  return client.invalidateQueries()
}
