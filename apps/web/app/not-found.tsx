import { EmptyState } from '@tributary/ui/patterns/empty-state'
import Link from 'next/link'

export default function NotFound() {
  return (
    <main className="flex min-h-dvh items-center justify-center">
      <EmptyState title={<h1>There is no such page</h1>}>
        <Link className="text-stream-strong underline underline-offset-4" href="/">
          Go to the console
        </Link>
      </EmptyState>
    </main>
  )
}
