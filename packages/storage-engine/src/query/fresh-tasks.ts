/** What the decoding threads do: read dirty blocks of one relation at one LSN and write their visible rows to a file. */
import type { TableDefinition } from '../columnar/table-definition.ts'
import type { Env } from '../io/env.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import type { Lsn } from '../postgres/lsn.ts'
import type { RelationLocator } from '../postgres/two-phase.ts'
import type { BlockSpan } from '../protocol/snapshot-plan.ts'
import { type FreshRowsResult, writeFreshRows } from './fresh-rows.ts'
import { PageServiceClient } from './page-service-client.ts'
import { remoteSnapshot } from './remote-snapshot.ts'

export interface FreshTask {
  readonly pageService: { readonly host: string; readonly port: number }
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly lsn: Lsn
  readonly table: TableDefinition
  readonly isUtf8: boolean
  readonly columns: readonly number[]
  readonly textColumns: readonly number[]
  readonly heap: RelationLocator
  readonly toast: { readonly heap: RelationLocator; readonly index: RelationLocator } | undefined
  readonly blocks: readonly BlockSpan[]
  /** Where the file goes; a new name. */
  readonly path: string
  readonly bytesMax: number
  /** One shared 32-bit word: not 0 means that the query was cancelled. */
  readonly cancelFlag: SharedArrayBuffer
}

/** Connections of a thread that are kept open. */
const CLIENTS_MAX = 16

export function createFreshTask(env: Pick<Env, 'network' | 'disk'>): (task: FreshTask) => Promise<FreshRowsResult> {
  const clients = new Map<string, PageServiceClient>()
  const clientOf = ({ pageService, projectId, timelineId }: FreshTask): PageServiceClient => {
    const key = `${pageService.host}:${pageService.port}/${projectId}/${timelineId}`
    let client = clients.get(key)
    clients.delete(key)
    client ??= new PageServiceClient({ env, address: pageService, projectId, timelineId })
    clients.set(key, client)
    if (clients.size > CLIENTS_MAX) {
      const [oldest] = clients.keys()
      if (oldest !== undefined) {
        clients.get(oldest)?.close()
        clients.delete(oldest)
      }
    }
    return client
  }
  return async (task) => {
    const flag = new Int32Array(task.cancelFlag)
    const source = remoteSnapshot(clientOf(task), task.lsn)
    const file = await env.disk.open(task.path, 'create')
    try {
      let position = 0
      const isCancelled = (): boolean => Atomics.load(flag, 0) !== 0
      return await writeFreshRows(source, { ...task, isCancelled }, (bytes) => {
        // This is a thread of its own: it may wait for the disk.
        file.writeNow(bytes, position)
        position += bytes.length
      })
    } catch (error) {
      await env.disk.remove(task.path)
      throw error
    } finally {
      await file.close()
    }
  }
}
