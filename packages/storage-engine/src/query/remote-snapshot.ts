import type { SnapshotSource } from '../catalog/snapshot-source.ts'
import type { Clock } from '../io/clock.ts'
import { turnGiver } from '../io/turn-giver.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { Fork } from '../postgres/relation.ts'
import type { SlruKind } from '../postgres/slru.ts'
import type { RelationLocator } from '../postgres/two-phase.ts'
import { BLOCKS_PER_REQUEST_MAX, type GetBlocksRequest } from '../protocol/block-list-messages.ts'
import { type GetPagesRequest, PAGES_PER_REQUEST_MAX } from '../protocol/block-run-messages.ts'
import type { RelationSizesRequest } from '../protocol/relation-size-messages.ts'
import type { RelationMapRequest, SlruPagesRequest } from '../protocol/small-file-messages.ts'
import type { PageServiceClient } from './page-service-client.ts'

/** A timeline at one LSN, read through the page service. `clock`: of a thread that others wait for. */
export function remoteSnapshot(client: PageServiceClient, lsn: Lsn, clock?: Clock): SnapshotSource {
  return {
    ...(clock ? { giveWay: turnGiver(clock) } : {}),

    async blockCount(relation: RelationLocator): Promise<number | undefined> {
      const relations = [{ ...locatorOf(relation), fork: Fork.main }]
      const { blockCounts } = await client.read<RelationSizesRequest>({ kind: 'relation-sizes', lsn, relations })
      return blockCounts[0]
    },

    async readPages(relation: RelationLocator, firstBlock: number, blockCount: number) {
      const requests: Promise<readonly (Uint8Array | undefined)[]>[] = []
      for (let at = 0; at < blockCount; at += PAGES_PER_REQUEST_MAX) {
        const request: Omit<GetPagesRequest, 'requestId'> = {
          kind: 'get-pages',
          lsn,
          ...locatorOf(relation),
          fork: Fork.main,
          firstBlock: firstBlock + at,
          blockCount: Math.min(PAGES_PER_REQUEST_MAX, blockCount - at),
        }
        requests.push(client.read<GetPagesRequest>(request).then(({ pages }) => pages))
      }
      return (await Promise.all(requests)).flat()
    },

    async readBlocks(relation: RelationLocator, blocks: readonly number[]) {
      const requests: Promise<readonly (Uint8Array | undefined)[]>[] = []
      for (let at = 0; at < blocks.length; at += BLOCKS_PER_REQUEST_MAX) {
        const request: Omit<GetBlocksRequest, 'requestId'> = {
          kind: 'get-blocks',
          lsn,
          ...locatorOf(relation),
          fork: Fork.main,
          blocks: blocks.slice(at, at + BLOCKS_PER_REQUEST_MAX),
        }
        requests.push(client.read<GetBlocksRequest>(request).then(({ pages }) => pages))
      }
      return (await Promise.all(requests)).flat()
    },

    async relationMap(spcOid: number, dbOid: number): Promise<Uint8Array | undefined> {
      return (await client.read<RelationMapRequest>({ kind: 'relation-map', lsn, spcOid, dbOid })).bytes
    },

    async slruPage(slru: SlruKind, page: number): Promise<Uint8Array | undefined> {
      const request = { kind: 'slru-pages', lsn, slru, firstPage: page, pageCount: 1 } as const
      return (await client.read<SlruPagesRequest>(request)).pages[0]
    },
  }
}

function locatorOf({ spcOid, dbOid, relNumber }: RelationLocator): RelationLocator {
  return { spcOid, dbOid, relNumber }
}
