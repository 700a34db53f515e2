'use client'

import { formatCount } from '@tributary/ui/lib/format'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { Skeleton } from '@tributary/ui/patterns/skeleton'
import { Button } from '@tributary/ui/primitives/button'
import { Kbd } from '@tributary/ui/primitives/kbd'
import { Panel } from '@tributary/ui/primitives/panel'
import { Segmented } from '@tributary/ui/primitives/segmented'
import { Select } from '@tributary/ui/primitives/select'
import { Play, Route } from 'lucide-react'
import dynamic from 'next/dynamic'
import { useEffect, useMemo, useState } from 'react'
import { type Moment, momentText, pointInput } from '@/domain/moment.ts'
import { MomentButton } from '@/domain/moment-button.tsx'
import { MomentNotice } from '@/domain/moment-notice.tsx'
import { type Catalog, useCatalog } from '@/domain/use-catalog.ts'
import { useDataPlace } from '@/domain/use-data-place.ts'
import { type QueryEngine, SqlPlaceDocument } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { NotAvailable } from '@/shell/load-failure.tsx'
import { viewOnlyReason } from '@/shell/view-only-badge.tsx'
import { errorPlace } from './error-place.ts'
import { SaveQueryPopover } from './save-query-popover.tsx'
import { SqlSide } from './sql-side.tsx'
import { useDraft } from './use-draft.ts'
import { useRunSql } from './use-run-sql.ts'

const SqlEditor = dynamic(() => import('./sql-editor.tsx'), {
  ssr: false,
  loading: () => <Skeleton className="m-4 h-5 w-64" />,
})

/** Nothing is shown in its place: it has something to say only once something was run. */
const SqlResultView = dynamic(() => import('./sql-result.tsx').then((module) => module.SqlResultView), { ssr: false })

const welcome = '-- Ctrl-Enter runs this, or the part you have selected.\nselect now(), current_database();\n'
const ownerRole = ''
/** How many rows an answer may have here; the API takes no more than the last. */
const rowLimits = ['100', '1000', '10000', '50000'] as const
type RowLimit = (typeof rowLimits)[number]

/** One editor, two engines: Postgres reads and writes at the tip, Analytics reads any moment without a compute. */
export function SqlScreen({ projectId }: { projectId: string }) {
  const { branch, isBranchGone, database, moment, unreadableMoment, go } = useDataPlace(projectId, 'sql')
  const [engine, setEngine] = useState<QueryEngine>(moment.kind === 'tip' ? 'POSTGRES' : 'ANALYTICS')
  const [role, setRole] = useState(ownerRole)
  const [rowLimit, setRowLimit] = useState<RowLimit>('1000')
  const [text, setText] = useDraft(projectId, welcome)
  const place = useGraphql(
    SqlPlaceDocument,
    { projectId, branchId: branch?.id ?? '' },
    { isEnabled: branch !== undefined },
  )
  const { catalog, refetch: readCatalog } = useCatalog({ projectId, branchId: branch?.id, database, moment })
  const schema = useMemo(() => completions(catalog), [catalog])
  const [insertion, setInsertion] = useState<{ text: string }>()
  const { run, isRunning, start, cancel } = useRunSql()
  // What ran on Postgres may have made or dropped tables.
  const answered = run?.input.engine === 'POSTGRES' ? run.result : undefined
  useEffect(() => {
    if (answered) void readCatalog()
  }, [answered, readCatalog])
  const isViewOnly = place.data?.project?.viewerCanWrite === false
  // A moment is read-only, and only Analytics reads it without starting anything. Postgres may write: not for those who may look alone.
  useEffect(() => {
    if (moment.kind !== 'tip' || isViewOnly) setEngine('ANALYTICS')
  }, [moment.kind, isViewOnly])

  if (isBranchGone) {
    const back = { label: 'All branches', href: routes.projectPage(projectId, 'branches') }
    return <NotAvailable what="this branch" back={back} />
  }
  const runText = (sql: string, explain = false) => {
    if (!branch || !database || isRunning || sql.trim() === '') return
    const at = pointInput(moment)
    start({
      branchId: branch.id,
      database,
      engine,
      sql,
      explain,
      rowLimit: Number(rowLimit),
      ...(engine === 'POSTGRES' && role !== ownerRole ? { role } : {}),
      ...(at && engine === 'ANALYTICS' ? { at } : {}),
    })
  }
  const changeEngine = (next: QueryEngine) => {
    setEngine(next)
    if (next === 'POSTGRES' && moment.kind !== 'tip') go({ at: undefined })
  }
  const error = run?.result?.error
  const errorOffset = error && run.input.sql === text ? errorPlace(text, error.position)?.offset : undefined

  return (
    <>
      <PageHeader
        title="SQL editor"
        meta={
          <Segmented
            label="Engine"
            value={engine}
            onChange={changeEngine}
            options={[
              { value: 'POSTGRES', label: 'Postgres', isDisabled: isViewOnly },
              { value: 'ANALYTICS', label: 'Analytics' },
            ]}
          />
        }
        description={
          isViewOnly
            ? `${viewOnlyReason} Analytics reads any moment of any branch; Postgres is for those who may write.`
            : engine === 'POSTGRES'
              ? 'Reads and writes on the branch’s compute, which is started when it sleeps.'
              : 'Reads only, from columns and fresh rows, at any moment; no compute has to run.'
        }
        actions={
          branch ? (
            <>
              <Select
                label="Database"
                className="w-36"
                value={database ?? ''}
                onChange={(next) => go({ database: next })}
                options={branch.databases.map((each) => ({ value: each.name, label: each.name }))}
              />
              {engine === 'POSTGRES' ? (
                <RoleSelect value={role} onChange={setRole} roles={place.data?.project?.branch?.roles ?? []} />
              ) : (
                <MomentButton
                  projectId={projectId}
                  branchId={branch.id}
                  moment={moment}
                  onChange={(next: Moment) => go({ at: momentText(next) })}
                />
              )}
            </>
          ) : null
        }
      />
      <MomentNotice unreadable={unreadableMoment} />
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,1fr)_20rem]">
        <Panel isFlush>
          <div className="h-64 min-h-32 resize-y overflow-auto border-line border-b">
            <SqlEditor
              value={text}
              onChange={setText}
              onRun={(sql) => runText(sql)}
              errorOffset={errorOffset}
              insertion={insertion}
              schema={schema}
            />
          </div>
          <div className="flex flex-wrap items-center gap-2 border-line border-b px-4 py-2.5">
            <Button variant="primary" isBusy={isRunning} disabled={!database} onClick={() => runText(text)}>
              <Play /> Run
              <span className="pointer-coarse:hidden">
                <Kbd>Ctrl ↵</Kbd>
              </span>
            </Button>
            <Button disabled={isRunning || !database} onClick={() => runText(text, true)}>
              <Route /> Explain
            </Button>
            <div className="ml-auto flex items-center gap-2">
              <Select
                label="Rows at most"
                className="w-48"
                value={rowLimit}
                onChange={setRowLimit}
                options={rowLimits.map((each) => ({ value: each, label: `${formatCount(each)} rows at most` }))}
              />
              <SaveQueryPopover projectId={projectId} sql={text} engine={engine} />
            </div>
          </div>
          <SqlResultView run={run} onCancel={cancel} />
        </Panel>
        <Panel isFlush>
          <SqlSide
            projectId={projectId}
            catalog={catalog}
            onInsert={(name) => setInsertion({ text: name })}
            onOpen={(sql, itsEngine) => {
              setText(sql)
              changeEngine(itsEngine)
            }}
          />
        </Panel>
      </div>
    </>
  )
}

function RoleSelect(props: { value: string; onChange(role: string): void; roles: readonly { name: string }[] }) {
  return (
    <Select
      label="Role"
      className="w-40"
      value={props.value}
      onChange={props.onChange}
      options={[
        { value: ownerRole, label: 'Owner' },
        ...props.roles.map((role) => ({ value: role.name, label: role.name })),
      ]}
    />
  )
}

function completions(catalog: Catalog | undefined): Record<string, string[]> {
  const tables: Record<string, string[]> = {}
  for (const schema of catalog?.schemas ?? []) {
    for (const table of schema.tables) {
      tables[`${schema.name}.${table.name}`] = table.columns.map((column) => column.name)
      if (schema.name === 'public') tables[table.name] = table.columns.map((column) => column.name)
    }
  }
  return tables
}
