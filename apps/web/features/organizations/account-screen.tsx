'use client'

import { DefinitionList } from '@tributary/ui/patterns/definition-list'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { Panel } from '@tributary/ui/primitives/panel'
import { ApiKeysPanel } from '@/domain/api-keys-panel.tsx'
import { ViewerApiKeysDocument } from '@/gql/graphql.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'

export function AccountScreen() {
  const { data, error, refetch } = useGraphql(ViewerApiKeysDocument, {})
  const viewer = data?.viewer
  return (
    <>
      <PageHeader title="Account" />
      <div className="flex flex-col gap-6">
        <Panel title="You">
          <DefinitionList
            items={[
              { term: 'Name', value: viewer?.user.name ?? '…' },
              { term: 'Email', value: viewer?.user.email ?? '…' },
            ]}
          />
        </Panel>
        <ApiKeysPanel
          title="Your API keys"
          description="Each may do what you may do."
          keys={viewer?.apiKeys}
          scope={{}}
          error={
            error && !data ? <LoadFailure error={error} what="your keys" onRetry={() => void refetch()} /> : undefined
          }
        />
      </div>
    </>
  )
}
