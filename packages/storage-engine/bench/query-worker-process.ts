import * as fs from 'node:fs'
import * as path from 'node:path'
import { openHttpStorageAdmin } from '../src/admin/http-storage-admin-client.ts'
import { openQueryClient, type QueryClient, type QueryRequest } from '../src/admin/query-client.ts'
import { spawnProcess } from '../src/io/node-process.ts'
import { programOf } from '../src/io/node-workers.ts'
import { ProjectId, TimelineId } from '../src/postgres/ids.ts'
import type { Stack } from '../test/stack-fixture.ts'
import { makeTemporaryFolder } from '../test/temporary-folder.ts'

/** A query worker in a process of its own beside a stack, as `npm start` runs one. */
export interface QueryWorkerProcess {
  readonly client: QueryClient
  /** Of the branch main. */
  readonly target: Pick<QueryRequest, 'projectId' | 'timelineId'>
  /** Puts everything that is flushed into image and columnar layers. */
  upkeep(): Promise<void>
  stop(): Promise<void>
}

export async function startQueryWorkerProcess(stack: Stack, port: number): Promise<QueryWorkerProcess> {
  const { pageserver, safekeepers, home, projectId } = await stack.describe()
  const directory = makeTemporaryFolder('tributary-query-bench-')
  const configFile = path.join(directory, 'config.json')
  const config = {
    dataDirectory: path.join(directory, 'data'),
    httpPort: port,
    pageserver: { host: pageserver.host, port: pageserver.port, httpPort: pageserver.httpPort },
    safekeepers: safekeepers.map(({ id, host, httpPort }) => ({ id, host, httpPort })),
    objectStore: { kind: 'local', folder: path.join(home, 'objects') },
    queryMemoryMb: 2048,
    logLevel: 'warn',
  }
  fs.writeFileSync(configFile, JSON.stringify(config))
  const { file, execArgv } = programOf('main/query-worker')
  const child = await spawnProcess({
    command: process.execPath,
    args: [...execArgv, file],
    env: { ...process.env, TRIBUTARY_CONFIG: configFile },
    endsWithParent: true,
    onLine: (line) => process.stderr.write(`${line}\n`),
  })
  const client = openQueryClient({ url: `http://127.0.0.1:${port}` })
  const target = {
    projectId: ProjectId.parse(projectId),
    timelineId: TimelineId.parse((await stack.branch('main')).timelineId),
  }
  for (let attempt = 0; ; attempt++) {
    try {
      await client.run({ ...target, sql: 'select 1' })
      break
    } catch (error) {
      if (attempt === 200) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  return {
    client,
    target,
    async upkeep() {
      const admin = openHttpStorageAdmin({ url: `http://${pageserver.host}:${pageserver.httpPort}` })
      await admin.runUpkeep(target.projectId, target.timelineId, ['flush', 'compact', 'images'])
    },
    async stop() {
      await child.stop({ signal: 'SIGTERM', graceMs: 10_000 })
      fs.rmSync(directory, { recursive: true, force: true })
    },
  }
}
