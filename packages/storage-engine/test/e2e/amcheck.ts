import type pg from 'pg'

/** Everything amcheck of Postgres 18 can say against a database: broken B-trees, heaps, TOAST. Empty when all is well. */
export async function amcheckDatabase(client: pg.Client): Promise<string[]> {
  await client.query('create extension if not exists amcheck')
  const complaints: string[] = []
  const indexes = await client.query<{ oid: number; name: string }>(`
    select c.oid, c.oid::regclass::text as name from pg_index i
    join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam
    where a.amname = 'btree' and c.relpersistence = 'p' and i.indisvalid and i.indisready and c.relkind = 'i'`)
  for (const index of indexes.rows) {
    await client
      .query('select bt_index_check($1::oid::regclass, true, true)', [index.oid])
      .catch((error: Error) => complaints.push(`${index.name}: ${error.message}`))
  }
  const ginIndexes = await client.query<{ oid: number; name: string }>(`
    select c.oid, c.oid::regclass::text as name from pg_index i
    join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam
    where a.amname = 'gin' and c.relpersistence = 'p' and c.relkind = 'i'`)
  for (const index of ginIndexes.rows) {
    await client
      .query('select gin_index_check($1::oid::regclass)', [index.oid])
      .catch((error: Error) => complaints.push(`${index.name}: ${error.message}`))
  }
  const tables = await client.query<{ oid: number; name: string }>(`
    select c.oid, c.oid::regclass::text as name from pg_class c
    where c.relkind in ('r', 't', 'm') and c.relpersistence = 'p'`)
  for (const table of tables.rows) {
    const found = await client
      .query<{ text: string }>(
        `select blkno || ',' || offnum || ': ' || msg as text from verify_heapam($1::oid::regclass, check_toast := true)`,
        [table.oid],
      )
      .catch((error: Error) => ({ rows: [{ text: error.message }] }))
    for (const row of found.rows) complaints.push(`${table.name} ${row.text}`)
  }
  return complaints
}
