import { expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { AppendGatherer } from './append-gatherer.ts'

/** Bytes as text, one byte an LSN; time passes when the test says so. */
function opened() {
  const sent: string[] = []
  const timers = new Set<() => void>()
  let sentLsn = 0
  let commitLsn = 0
  const gatherer = new AppendGatherer({
    clock: {
      setTimer(_delayMs, fire) {
        timers.add(fire)
        return { cancel: () => timers.delete(fire) }
      },
    },
    commitLsn: () => Lsn.of(commitLsn),
    send(bytes) {
      sent.push(Buffer.from(bytes).toString())
      sentLsn += bytes.length
      return Lsn.of(sentLsn)
    },
  })
  return {
    sent,
    gatherer,
    tick: async (text: string) => {
      for (const letter of text) gatherer.add(Buffer.from(letter))
      await Promise.resolve()
    },
    commit: (lsn: number) => {
      commitLsn = lsn
      gatherer.onCommit()
    },
    passTime: () => {
      for (const fire of [...timers]) fire()
    },
    timerCount: () => timers.size,
  }
}

test('what is appended in one tick goes out together', async () => {
  const { sent, tick } = opened()
  await tick('abc')
  await tick('de')
  expect(sent).toEqual(['abc', 'de'])
})

test('with two sends not committed more is gathered, until the first of them is', async () => {
  const { sent, gatherer, tick, commit, timerCount } = opened()
  for (const text of ['a', 'b', 'c', 'd']) await tick(text)
  expect(sent).toEqual(['a', 'b'])
  expect(gatherer.byteCount).toBe(2)
  commit(1)
  expect(sent).toEqual(['a', 'b', 'cd'])
  expect(timerCount()).toBe(0)
})

test('what waits for a commit that cannot come, as a record is not whole yet, is sent after a while', async () => {
  const { sent, tick, passTime } = opened()
  for (const text of ['a', 'b', 'c']) await tick(text)
  passTime()
  expect(sent).toEqual(['a', 'b', 'c'])
})

test('bulk is sent at once, and nothing after the end', async () => {
  const { sent, gatherer, tick, passTime } = opened()
  for (const text of ['a', 'b']) await tick(text)
  gatherer.add(new Uint8Array(64 * 1024))
  expect(sent.length).toBe(3)
  gatherer.close()
  await tick('c')
  passTime()
  expect(sent.length).toBe(3)
})
