import * as fs from 'node:fs'
import * as path from 'node:path'
import {
  createPostgres,
  makePostgresTempDir,
  type PostgresFixture,
  runProgram,
  startPostgres,
} from '../test/postgres-fixture.ts'
import { sleep } from '../test/stack-fixture.ts'

export interface StockPeer {
  readonly uri: string
  readonly primary: PostgresFixture
  cleanup(): Promise<void>
}

/** A stock server that keeps its promises on local disk (fsync on), with the given share of memory. */
export async function startStock(options: { port: number; sharedBuffers: string }): Promise<StockPeer> {
  const primary = await startPostgres({
    tcpPort: options.port,
    settings: { fsync: 'on', shared_buffers: options.sharedBuffers, max_connections: 100 },
  })
  return { uri: uriOf(options.port), primary, cleanup: () => primary.cleanup() }
}

/**
 * A stock server with two stock synchronous standbys, either of which is enough: a commit is then on two of three disks,
 * as it is with a majority of three SafeKeepers.
 */
export async function startStockQuorum(options: { port: number; sharedBuffers: string }): Promise<StockPeer> {
  const settings = { fsync: 'on', shared_buffers: options.sharedBuffers, max_connections: 100, wal_keep_size: '4GB' }
  const primary = await startPostgres({ tcpPort: options.port, settings })
  const standbys: PostgresFixture[] = []
  const folders: string[] = []
  const cleanup = async () => {
    for (const standby of standbys) await standby.cleanup()
    for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    await primary.cleanup()
  }
  try {
    for (const name of ['s1', 's2']) {
      const folder = makePostgresTempDir('tributary-standby-')
      folders.push(folder)
      const dataDir = path.join(folder, 'data')
      // A cold copy: the npm package has no pg_basebackup.
      await primary.stop('fast')
      await runProgram('/bin/cp', ['-a', primary.dataDir, dataDir])
      await runProgram('/usr/bin/touch', [path.join(dataDir, 'standby.signal')])
      const standby = await createPostgres({ dataDir, settings })
      standbys.push(standby)
      await primary.start()
      await standby.start({
        primary_conninfo: `host=${primary.socketDir} port=${options.port} user=postgres application_name=${name}`,
        hot_standby: 'on',
      })
    }
    await primary.query(`alter system set synchronous_standby_names = 'ANY 1 (s1, s2)'`)
    await primary.query('select pg_reload_conf()')
    for (let attempt = 0; ; attempt++) {
      const rows = await primary.query<{ count: string }>(
        `select count(*) from pg_stat_replication where sync_state = 'quorum' and state = 'streaming'`,
      )
      if (rows[0]?.count === '2') break
      if (attempt > 300) throw new Error('stock standbys do not stream')
      await sleep(100)
    }
    return { uri: uriOf(options.port), primary, cleanup }
  } catch (error) {
    await cleanup()
    throw error
  }
}

function uriOf(port: number): string {
  return `postgresql://postgres@127.0.0.1:${port}/postgres`
}
