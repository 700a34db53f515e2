import type { CatalogColumn, CatalogIndex, CatalogSchema, CatalogTable } from '../modules/sql/catalog-queries.ts'
import type { Catalog, SchemaDiff } from '../modules/sql/catalog-service.ts'
import type { ResultColumn, SqlError, SqlReceipt, SqlResult, StatementResult } from '../modules/sql/sql-result.ts'
import type { LakeState } from '../modules/storage/lake-service.ts'
import { PointInput, pointOf } from './branch.schema.ts'
import { builder, orThrow } from './builder.ts'
import { actorOf, callOf } from './context.ts'
import {
  BranchRef,
  DeletePayloadRef,
  OperationPayloadRef,
  PhaseRef,
  payload,
  QueryHistoryEntryRef,
  SavedQueryRef,
} from './refs.ts'

const engines = ['POSTGRES', 'ANALYTICS'] as const
const QueryEngineEnum = builder.enumType('QueryEngine', { values: engines })
type Engine = (typeof engines)[number]

const ResultColumnRef = builder.objectRef<ResultColumn>('ResultColumn').implement({
  fields: (t) => ({ name: t.exposeString('name'), type: t.exposeString('type') }),
})

const StatementResultRef = builder.objectRef<StatementResult>('StatementResult').implement({
  fields: (t) => ({
    command: t.exposeString('command'),
    rowCount: t.exposeInt('rowCount', { nullable: true }),
    columns: t.field({ type: [ResultColumnRef], resolve: ({ columns }) => [...columns] }),
    rows: t.field({
      type: t.listRef(t.listRef('String', { nullable: true })),
      description: 'Values as text, null for NULL.',
      resolve: ({ rows }) => rows as (string | null)[][],
    }),
    truncated: t.exposeBoolean('truncated', { description: 'There were more rows.' }),
    durationMs: t.exposeFloat('durationMs'),
    notices: t.field({ type: ['String'], resolve: ({ notices }) => [...notices] }),
    plan: t.field({ type: 'JSON', nullable: true, resolve: ({ plan }) => plan }),
  }),
})

const SqlErrorRef = builder.objectRef<SqlError>('SqlError').implement({
  fields: (t) => ({
    message: t.exposeString('message'),
    sqlState: t.exposeString('sqlState', { nullable: true }),
    position: t.exposeInt('position', { nullable: true, description: 'Character of the text sent, from 1.' }),
    hint: t.exposeString('hint', { nullable: true }),
    detail: t.exposeString('detail', { nullable: true }),
  }),
})

const FreshnessReceiptRef = builder.objectRef<SqlReceipt>('FreshnessReceipt').implement({
  description: 'What an analytic answer says of itself: the moment it shows, and what it was made of.',
  fields: (t) => ({
    branchId: t.exposeID('branchId'),
    lsn: t.expose('lsn', { type: 'LSN' }),
    commitTime: t.expose('commitTime', { type: 'DateTime', nullable: true }),
    lagBytes: t.expose('lagBytes', { type: 'BigInt', nullable: true }),
    layersRead: t.exposeInt('layersRead'),
    rowsFromColumns: t.expose('rowsFromColumns', { type: 'BigInt' }),
    rowsFresh: t.expose('rowsFresh', { type: 'BigInt' }),
    dirtyBlocks: t.expose('dirtyBlocks', { type: 'BigInt', nullable: true }),
    steps: t.field({ type: [PhaseRef], resolve: ({ steps }) => [...steps] }),
  }),
})

const SqlResultRef = builder.objectRef<SqlResult>('SqlResult').implement({
  fields: (t) => ({
    queryId: t.exposeID('queryId'),
    engine: t.field({ type: QueryEngineEnum, resolve: ({ engine }) => engine }),
    statements: t.field({ type: [StatementResultRef], resolve: ({ statements }) => [...statements] }),
    receipt: t.field({ type: FreshnessReceiptRef, nullable: true, resolve: ({ receipt }) => receipt }),
    error: t.field({ type: SqlErrorRef, nullable: true, resolve: ({ error }) => error }),
    durationMs: t.exposeFloat('durationMs'),
  }),
})

builder.objectType(SavedQueryRef, {
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.exposeString('name'),
    sql: t.exposeString('sql'),
    engine: t.field({ type: QueryEngineEnum, resolve: ({ engine }) => engine as Engine }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime' }),
  }),
})

builder.objectType(QueryHistoryEntryRef, {
  fields: (t) => ({
    id: t.exposeID('id'),
    sql: t.exposeString('sql'),
    engine: t.field({ type: QueryEngineEnum, resolve: ({ engine }) => engine as Engine }),
    branchName: t.exposeString('branchName'),
    at: t.expose('at', { type: 'DateTime' }),
    durationMs: t.exposeFloat('durationMs'),
    rowCount: t.exposeInt('rowCount', { nullable: true }),
    error: t.exposeString('error', { nullable: true }),
  }),
})

const CatalogColumnRef = builder.objectRef<CatalogColumn>('CatalogColumn').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    type: t.exposeString('type'),
    notNull: t.exposeBoolean('notNull'),
    isPrimaryKey: t.exposeBoolean('isPrimaryKey'),
    default: t.exposeString('default', { nullable: true }),
    generated: t.exposeBoolean('generated'),
  }),
})

const CatalogIndexRef = builder.objectRef<CatalogIndex>('CatalogIndex').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    definition: t.exposeString('definition', { nullable: true }),
    isUnique: t.exposeBoolean('isUnique'),
    isPrimary: t.exposeBoolean('isPrimary'),
  }),
})

type TableInCatalog = CatalogTable & { readonly catalog: Catalog }

const LakeStateRef = builder.objectRef<LakeState>('LakeState').implement({
  description: 'The newest published Delta version of a table, on the branch as it is now.',
  fields: (t) => ({
    deltaVersion: t.exposeInt('deltaVersion', { nullable: true }),
    layerLsn: t.expose('layerLsn', { type: 'LSN', nullable: true }),
    files: t.exposeInt('files'),
    bytes: t.expose('bytes', { type: 'BigInt' }),
    rows: t.expose('rows', { type: 'BigInt', description: 'Visible ones.' }),
    path: t.exposeString('path', { description: 'Key prefix in the object store.' }),
    uri: t.exposeString('uri', {
      nullable: true,
      description: 'For readers outside: a folder of this machine, or s3://bucket/….',
    }),
  }),
})

const CatalogTableRef = builder.objectRef<TableInCatalog>('CatalogTable').implement({
  fields: (t) => ({
    oid: t.exposeString('oid'),
    name: t.exposeString('name'),
    kind: t.exposeString('kind'),
    columns: t.field({ type: [CatalogColumnRef], resolve: ({ columns }) => [...columns] }),
    indexes: t.field({ type: [CatalogIndexRef], resolve: ({ indexes }) => [...indexes] }),
    rowEstimate: t.expose('rowEstimate', { type: 'BigInt', nullable: true }),
    sizeBytes: t.expose('sizeBytes', { type: 'BigInt', nullable: true }),
    lake: t.field({
      type: LakeStateRef,
      nullable: true,
      description: 'Null: never published.',
      resolve: async ({ oid, catalog }, _args, context) =>
        (await context.loaders.lakeOfBranch.load(catalog.branchId)).get(`${catalog.databaseOid}/${oid}`) ?? null,
    }),
  }),
})

const CatalogSchemaRef = builder.objectRef<CatalogSchema & { readonly catalog: Catalog }>('CatalogSchema').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    tables: t.field({
      type: [CatalogTableRef],
      resolve: ({ tables, catalog }) => tables.map((table) => ({ ...table, catalog })),
    }),
  }),
})

const CatalogRef = builder.objectRef<Catalog>('Catalog').implement({
  description: 'What is in a database at a moment.',
  fields: (t) => ({
    lsn: t.expose('lsn', { type: 'LSN' }),
    schemas: t.field({
      type: [CatalogSchemaRef],
      resolve: (catalog) => catalog.schemas.map((schema) => ({ ...schema, catalog })),
    }),
  }),
})

const SchemaDiffRef = builder.objectRef<SchemaDiff>('SchemaDiff').implement({
  description: 'From the other moment (left) to this one (right).',
  fields: (t) => ({
    left: t.exposeString('left'),
    right: t.exposeString('right'),
    unified: t.exposeString('unified'),
    isEmpty: t.exposeBoolean('isEmpty'),
  }),
})

builder.objectFields(BranchRef, (t) => ({
  catalog: t.field({
    type: CatalogRef,
    args: { database: t.arg.string({ required: true }), at: t.arg({ type: PointInput }) },
    resolve: async (branch, { database, at }, context) =>
      orThrow(
        await context.services.catalogs.catalog(
          actorOf(context),
          { branchId: branch.id, database, at: pointOf(at) },
          callOf(context),
        ),
      ),
  }),
  schemaDiff: t.field({
    type: SchemaDiffRef,
    args: {
      database: t.arg.string({ required: true }),
      with: t.arg({ type: PointInput, required: true }),
      withBranchId: t.arg.id(),
    },
    resolve: async (branch, args, context) =>
      orThrow(
        await context.services.catalogs.diff(
          actorOf(context),
          { branchId: args.withBranchId ?? branch.id, database: args.database, at: pointOf(args.with) },
          { branchId: branch.id, database: args.database },
        ),
      ),
  }),
}))

const RunSqlInput = builder.inputType('RunSqlInput', {
  fields: (t) => ({
    branchId: t.id({ required: true }),
    database: t.string({ required: true }),
    role: t.string({ description: 'Default: the owner of the database.' }),
    sql: t.string({ required: true }),
    engine: t.field({ type: QueryEngineEnum, defaultValue: 'POSTGRES', required: true }),
    at: t.field({ type: PointInput, description: 'Read-only, as of then.' }),
    rowLimit: t.int({ defaultValue: 1000 }),
    queryId: t.id({ description: 'To cancel it by; one is made when absent.' }),
    explain: t.boolean({ defaultValue: false }),
    isRecorded: t.boolean({
      defaultValue: true,
      description:
        'False: an analytic query that does not appear in the history. What Postgres runs is always recorded.',
    }),
  }),
})

builder.mutationFields((t) => ({
  runSql: t.field({
    type: SqlResultRef,
    description: 'Runs SQL. Errors of the SQL are in `error`, with the results of the statements before it.',
    args: { input: t.arg({ type: RunSqlInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      orThrow(await context.services.sql.run(actorOf(context), { ...input, at: pointOf(input.at) }, callOf(context))),
  }),
  publishLake: t.field({
    type: OperationPayloadRef,
    description:
      'Makes Delta versions of a table (schema.name), or of all tables; from then on they follow the branch.',
    args: { branchId: t.arg.id({ required: true }), database: t.arg.string(), table: t.arg.string() },
    resolve: async (_root, args, context) =>
      payload(await context.services.lake.publish(actorOf(context), args, callOf(context)), (operations) => ({
        operations,
      })),
  }),
  cancelSql: t.field({
    type: DeletePayloadRef,
    args: { queryId: t.arg.id({ required: true }) },
    resolve: async (_root, { queryId }, context) =>
      payload(await context.services.sql.cancel(actorOf(context), queryId), () => ({})),
  }),
  saveQuery: t.field({
    type: SavedQueryRef,
    args: {
      projectId: t.arg.id({ required: true }),
      id: t.arg.id(),
      name: t.arg.string({ required: true }),
      sql: t.arg.string({ required: true }),
      engine: t.arg({ type: QueryEngineEnum, required: true }),
    },
    resolve: async (_root, args, context) =>
      orThrow(await context.services.savedQueries.save(actorOf(context), args, callOf(context))),
  }),
  deleteSavedQuery: t.field({
    type: DeletePayloadRef,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, context) =>
      payload(await context.services.savedQueries.delete(actorOf(context), id), () => ({})),
  }),
}))
