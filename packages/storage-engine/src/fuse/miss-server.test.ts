import { expect, test } from 'vitest'
import { silentLog } from '../io/log.ts'
import { nodeClock } from '../io/node-clock.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { Fork } from '../postgres/relation.ts'
import { MissServer } from './miss-server.ts'
import { CacheFolder } from './overlay.ts'
import { PagePresence } from './page-presence.ts'

test('a read gets its pages though a read-ahead that it waited for failed for another page', async () => {
  const asked: string[] = []
  const errnos: number[] = []
  let failReadAhead: (() => void) | undefined
  const server = new MissServer({
    folder: new CacheFolder(
      {
        open: () => 3,
        read: (_descriptor, _target, _offset, byteCount) => byteCount,
        write: (_descriptor, _source, _offset, byteCount) => byteCount,
        writeMany: (_descriptor, sources) => sources.length * PAGE_SIZE,
        truncate: () => undefined,
        close: () => undefined,
        remove: () => undefined,
      },
      '/cache',
    ),
    pageReader: {
      usePages(_relation, firstBlock, blockCount, use) {
        asked.push(`${firstBlock}+${blockCount}`)
        if (asked.length === 3) {
          return new Promise((_resolve, reject) => {
            failReadAhead = () => reject(new Error('block 12 is damaged'))
          })
        }
        use(Array.from({ length: blockCount }, () => undefined))
        return Promise.resolve()
      },
    },
    reply: ([header]) => errnos.push(new DataView(header!.buffer).getInt32(4, true)),
    log: silentLog,
  })
  const relation = { spcOid: 1663, dbOid: 5, relNumber: 16384, fork: Fork.main }
  const presence = PagePresence.allocate(64)
  server.onMessage({ kind: 'segment-opened', nodeId: 2, relation, firstBlock: 0, presence })
  const miss = (first: number, pages: number) => {
    const at = { offset: first * PAGE_SIZE, byteCount: pages * PAGE_SIZE }
    server.onMessage({ kind: 'read-miss', nodeId: 2, uniqueLow: 1, uniqueHigh: 0, ...at })
  }
  // The second of two reads in a row begins the read-ahead.
  miss(0, 1)
  miss(1, 1)
  while (errnos.length < 2) await nodeClock.sleep(0)
  expect(asked.length).toBe(3)
  miss(2, 1)
  failReadAhead!()
  while (errnos.length < 3) await nodeClock.sleep(0)
  expect(errnos).toEqual([0, 0, 0])
})
