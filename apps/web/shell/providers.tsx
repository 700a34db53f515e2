'use client'

import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import dynamic from 'next/dynamic'
import { ThemeProvider } from 'next-themes'
import { type ReactNode, useState } from 'react'
import { ConnectionLostError, SessionExpiredError } from '@/lib/api-errors.ts'
import { sessionState } from './session-state.ts'

const Toaster = dynamic(() => import('@tributary/ui/patterns/toaster').then((module) => module.Toaster), { ssr: false })

function createQueryClient(): QueryClient {
  const onError = (error: Error) => {
    if (error instanceof SessionExpiredError) sessionState.expire()
  }
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        // A lost connection is waited out; any other failure is the answer.
        retry: (_, error) => error instanceof ConnectionLostError,
        retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 4_000),
      },
    },
  })
}

export function Providers({ children }: { children: ReactNode }) {
  const [client] = useState(createQueryClient)
  return (
    <ThemeProvider attribute="class" defaultTheme="system" disableTransitionOnChange>
      <QueryClientProvider client={client}>
        {children}
        <Toaster />
      </QueryClientProvider>
    </ThemeProvider>
  )
}
