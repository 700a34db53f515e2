import type pg from 'pg'

export interface CatalogColumn {
  readonly name: string
  readonly type: string
  readonly notNull: boolean
  readonly isPrimaryKey: boolean
  readonly default: string | null
  readonly generated: boolean
}

export interface CatalogIndex {
  readonly name: string
  readonly definition: string
  readonly isUnique: boolean
  readonly isPrimary: boolean
}

export interface CatalogTable {
  readonly oid: string
  readonly name: string
  readonly kind: string
  readonly columns: readonly CatalogColumn[]
  readonly indexes: readonly CatalogIndex[]
  readonly rowEstimate: bigint | null
  readonly sizeBytes: bigint | null
}

export interface CatalogSchema {
  readonly name: string
  readonly tables: readonly CatalogTable[]
}

const TABLES_MAX = 5000
const OWN_SCHEMAS = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`

const kinds: Readonly<Record<string, string>> = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
}

/** Schemas, tables, columns and indexes of one database. Three queries, whatever their number. */
export async function readCatalog(client: pg.Client): Promise<{ databaseOid: string; schemas: CatalogSchema[] }> {
  await client.query('SET search_path = pg_catalog')
  const database = await client.query<{ oid: string }>(
    'SELECT oid::text FROM pg_database WHERE datname = current_database()',
  )
  const schemas = await client.query<{ name: string }>(
    `SELECT nspname AS name FROM pg_namespace n WHERE ${OWN_SCHEMAS} ORDER BY 1`,
  )
  const tables = await client.query<{
    oid: string
    schema: string
    name: string
    kind: string
    estimate: string
    size: string | null
  }>(
    `SELECT c.oid::text, n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.reltuples::bigint::text AS estimate,
            CASE WHEN c.relkind IN ('r', 'm') THEN pg_total_relation_size(c.oid)::text END AS size
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ${OWN_SCHEMAS} ORDER BY 2, 3 LIMIT ${TABLES_MAX}`,
  )
  const columns = await client.query<CatalogColumn & { table: string }>(
    `SELECT a.attrelid::text AS table, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS "notNull",
            coalesce(a.attnum = ANY (pk.indkey::int2[]), false) AS "isPrimaryKey",
            pg_get_expr(d.adbin, d.adrelid) AS "default", a.attgenerated <> '' AS generated
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
       LEFT JOIN pg_index pk ON pk.indrelid = a.attrelid AND pk.indisprimary
      WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ${OWN_SCHEMAS}
      ORDER BY a.attrelid, a.attnum`,
  )
  const indexes = await client.query<CatalogIndex & { table: string }>(
    `SELECT i.indrelid::text AS table, ic.relname AS name, pg_get_indexdef(i.indexrelid) AS definition,
            i.indisunique AS "isUnique", i.indisprimary AS "isPrimary"
       FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
       JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OWN_SCHEMAS} ORDER BY 1, 2`,
  )
  const columnsOf = groupBy(columns.rows)
  const indexesOf = groupBy(indexes.rows)
  const found = schemas.rows.map(({ name }) => ({
    name,
    tables: tables.rows
      .filter((table) => table.schema === name)
      .map((table) => ({
        oid: table.oid,
        name: table.name,
        kind: kinds[table.kind] ?? table.kind,
        columns: columnsOf.get(table.oid) ?? [],
        indexes: indexesOf.get(table.oid) ?? [],
        rowEstimate: Number(table.estimate) < 0 ? null : BigInt(table.estimate),
        sizeBytes: table.size === null ? null : BigInt(table.size),
      })),
  }))
  return { databaseOid: database.rows[0]?.oid ?? '', schemas: found }
}

function groupBy<Row extends { table: string }>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const group = groups.get(row.table)
    if (group) group.push(row)
    else groups.set(row.table, [row])
  }
  return groups
}

/** Each query gives (schema, object, statement); the text of a schema is all of them in order. */
const statementQueries: readonly string[] = [
  `SELECT n.nspname AS schema, '' AS object, format('CREATE SCHEMA %I;', n.nspname) AS statement
     FROM pg_namespace n WHERE ${OWN_SCHEMAS} AND n.nspname <> 'public'`,
  `SELECT '' AS schema, e.extname AS object, format('CREATE EXTENSION %I WITH SCHEMA %I;', e.extname, n.nspname) AS statement
     FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql'`,
  `SELECT n.nspname AS schema, t.typname AS object,
          format('CREATE TYPE %I.%I AS ENUM (%s);', n.nspname, t.typname, string_agg(quote_literal(l.enumlabel), ', ' ORDER BY l.enumsortorder)) AS statement
     FROM pg_type t JOIN pg_enum l ON l.enumtypid = t.oid JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE ${OWN_SCHEMAS} GROUP BY 1, 2, n.nspname, t.typname`,
  `SELECT n.nspname AS schema, t.typname AS object,
          format('CREATE DOMAIN %I.%I AS %s%s;', n.nspname, t.typname, format_type(t.typbasetype, t.typtypmod), CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END) AS statement
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'd' AND ${OWN_SCHEMAS}`,
  `SELECT n.nspname AS schema, c.relname AS object,
          format(E'CREATE SEQUENCE %I.%I\\n    AS %s\\n    START WITH %s\\n    INCREMENT BY %s;', n.nspname, c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement) AS statement
     FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${OWN_SCHEMAS} AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'i')`,
  `SELECT n.nspname AS schema, c.relname AS object,
          format(E'CREATE TABLE %I.%I (\\n%s\\n)%s;', n.nspname, c.relname,
            coalesce((SELECT string_agg(format('    %I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
                CASE WHEN a.attidentity = 'a' THEN ' GENERATED ALWAYS AS IDENTITY' WHEN a.attidentity = 'd' THEN ' GENERATED BY DEFAULT AS IDENTITY' ELSE '' END,
                CASE WHEN d.oid IS NULL THEN '' WHEN a.attgenerated = 's' THEN format(' GENERATED ALWAYS AS (%s) STORED', pg_get_expr(d.adbin, d.adrelid))
                     WHEN a.attgenerated = 'v' THEN format(' GENERATED ALWAYS AS (%s)', pg_get_expr(d.adbin, d.adrelid))
                     ELSE ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END), E',\\n' ORDER BY a.attnum)
              FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), ''),
            CASE WHEN c.relkind = 'p' THEN ' PARTITION BY ' || pg_get_partkeydef(c.oid)
                 WHEN c.relispartition THEN format(E'\\n-- partition of %s %s', (SELECT i.inhparent::regclass::text FROM pg_inherits i WHERE i.inhrelid = c.oid), pg_get_expr(c.relpartbound, c.oid))
                 ELSE '' END) AS statement
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND ${OWN_SCHEMAS}`,
  `SELECT n.nspname AS schema, c.relname || '.' || x.conname AS object,
          format(E'ALTER TABLE %I.%I\\n    ADD CONSTRAINT %I %s;', n.nspname, c.relname, x.conname, pg_get_constraintdef(x.oid)) AS statement
     FROM pg_constraint x JOIN pg_class c ON c.oid = x.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE x.contype IN ('p', 'u', 'c', 'f', 'x') AND x.conislocal AND ${OWN_SCHEMAS}`,
  `SELECT n.nspname AS schema, ic.relname AS object, pg_get_indexdef(i.indexrelid) || ';' AS statement
     FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_namespace n ON n.oid = ic.relnamespace
    WHERE ${OWN_SCHEMAS} AND NOT EXISTS (SELECT 1 FROM pg_constraint x WHERE x.conindid = i.indexrelid AND x.contype IN ('p', 'u', 'x'))`,
  `SELECT n.nspname AS schema, c.relname AS object,
          format(E'CREATE %s %I.%I AS\\n%s', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, n.nspname, c.relname, pg_get_viewdef(c.oid)) AS statement
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm') AND ${OWN_SCHEMAS}`,
  `SELECT n.nspname AS schema, p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS object, pg_get_functiondef(p.oid) || ';' AS statement
     FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prokind IN ('f', 'p') AND ${OWN_SCHEMAS} AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')`,
  `SELECT n.nspname AS schema, c.relname || '.' || t.tgname AS object, pg_get_triggerdef(t.oid) || ';' AS statement
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND ${OWN_SCHEMAS}`,
  `SELECT n.nspname AS schema, c.relname || '.' || p.polname AS object,
          format('CREATE POLICY %I ON %I.%I%s;', p.polname, n.nspname, c.relname, coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')) AS statement
     FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OWN_SCHEMAS}`,
]

/**
 * The schema of a database as statements in a fixed order, for comparison. It names every object people make; owners,
 * privileges and comments are left out.
 */
export async function readSchemaText(client: pg.Client): Promise<string> {
  await client.query('SET search_path = pg_catalog')
  const parts: string[] = []
  for (const query of statementQueries) {
    const { rows } = await client.query<{ schema: string; object: string; statement: string }>(query)
    rows.sort((left, right) => compare(left.schema, right.schema) || compare(left.object, right.object))
    parts.push(...rows.map(({ statement }) => statement.trimEnd()))
  }
  return parts.length === 0 ? '' : `${parts.join('\n\n')}\n`
}

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)
