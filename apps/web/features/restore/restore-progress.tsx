import { PageHeader } from '@tributary/ui/patterns/page-header'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { Rows3 } from 'lucide-react'
import Link from 'next/link'
import { useState } from 'react'
import { OperationProgress } from '@/domain/operation-progress.tsx'
import { routes } from '@/lib/routes.ts'

export interface RestoreProgressProps {
  projectId: string
  branch: { id: string; name: string }
  operationId: string
}

/** The page from the moment a restore has begun: how far it is, then where to go. */
export function RestoreProgress({ projectId, branch, operationId }: RestoreProgressProps) {
  const [outcome, setOutcome] = useState<'FINISHED' | 'FAILED'>()
  const isDone = outcome === 'FINISHED'
  return (
    <>
      <PageHeader
        takesFocus
        title={isDone ? `${branch.name} is restored` : `Restoring ${branch.name}`}
        description={
          isDone
            ? 'Its address is as before; clients connect again and find the data of that moment.'
            : 'Connections are cut for a moment. This goes on by itself when the page is closed.'
        }
      />
      <Panel title="Progress">
        <OperationProgress operationId={operationId} onFinished={setOutcome} />
      </Panel>
      <div className="mt-4 flex flex-wrap justify-end gap-2">
        <Button asChild>
          <Link href={routes.branch(projectId, branch.id)}>Go to the branch</Link>
        </Button>
        {isDone ? (
          <Button asChild variant="primary">
            <Link href={routes.projectPage(projectId, 'tables', { branch: branch.id })}>
              <Rows3 /> Look at its tables
            </Link>
          </Button>
        ) : null}
      </div>
    </>
  )
}
