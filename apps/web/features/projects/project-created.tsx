'use client'

import { Callout } from '@tributary/ui/patterns/callout'
import { CopyField } from '@tributary/ui/patterns/copy-field'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { ArrowRight } from 'lucide-react'
import Link from 'next/link'
import { useState } from 'react'
import { psqlLine } from '@/domain/connection-uri.ts'
import { OperationProgress } from '@/domain/operation-progress.tsx'
import type { CreateProjectMutation } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'

type Created = CreateProjectMutation['createProject']

/** The end of creating a project: the string to connect with, while the rest is being set up. */
export function ProjectCreated({ created, project }: { created: Created; project: NonNullable<Created['project']> }) {
  const [outcome, setOutcome] = useState<'FINISHED' | 'FAILED'>()
  const operation = created.operations[0]
  const connection = created.connection
  const isReady = outcome === 'FINISHED' || !operation
  return (
    <div className="mx-auto max-w-2xl">
      <PageHeader
        takesFocus
        title={isReady ? `${project.name} is ready` : `Setting up ${project.name}`}
        description={isReady ? 'Connect with the line below, from anywhere that reaches this machine.' : undefined}
      />
      <div className="flex flex-col gap-4">
        {connection ? (
          <Panel title="Connect">
            <div className="flex flex-col gap-4">
              <CopyField label="psql" text={psqlLine(connection.uri)} />
              <CopyField label="Connection string" text={connection.uri} />
              {connection.passwordRevealed ? (
                <Callout tone="caution">
                  This string holds the password of the role <code>{connection.role}</code>. Keep it like a password.
                </Callout>
              ) : null}
            </div>
          </Panel>
        ) : null}
        {operation ? (
          <Panel title="Progress">
            <OperationProgress operationId={operation.id} onFinished={setOutcome} />
          </Panel>
        ) : null}
        <div className="flex justify-end">
          <Button asChild variant="primary" size="large">
            <Link href={routes.project(project.id)}>
              Open the project <ArrowRight />
            </Link>
          </Button>
        </div>
      </div>
    </div>
  )
}
