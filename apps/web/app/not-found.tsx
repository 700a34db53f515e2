import { Confluence } from '@tributary/ui/icons/confluence'
import { TributaryMark } from '@tributary/ui/icons/tributary-mark'
import { Button } from '@tributary/ui/primitives/button'
import Link from 'next/link'

export default function NotFound() {
  return (
    <main className="flex min-h-dvh flex-col px-6 py-8 sm:px-12 lg:px-16">
      <p className="flex items-center gap-2 font-semibold text-lead tracking-tight">
        <TributaryMark className="size-6 text-stream" /> Tributary
      </p>
      <div className="flex flex-1 flex-col items-center justify-center gap-6 pb-16 text-center">
        <Confluence className="h-20 w-48 text-line-strong" />
        <div>
          <h1 className="font-semibold text-h1">There is no such page</h1>
          <p className="mt-2 max-w-md text-body text-ink-soft">
            The address may be mistyped, or the link out of date. Nothing of yours is affected.
          </p>
        </div>
        <Button asChild variant="primary">
          <Link href="/">Go to the console</Link>
        </Button>
      </div>
    </main>
  )
}
