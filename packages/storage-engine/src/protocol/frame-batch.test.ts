import { expect, test } from 'vitest'
import { FrameBatch } from './frame-batch.ts'
import { FrameDecoder } from './framing.ts'

function open(bufferBytes: number, isTakenOver = true) {
  const sent: Uint8Array[] = []
  const received: { type: number; payload: number[] }[] = []
  const decoder = new FrameDecoder({
    payloadBytesMax: 1000,
    onFrame: (type, payload) => received.push({ type, payload: [...payload] }),
  })
  const batch = new FrameBatch({
    bufferBytes,
    send: (bytes) => {
      sent.push(bytes)
      decoder.push(bytes)
      return !isTakenOver
    },
  })
  return { batch, sent, received }
}

test('frames of one batch go out in one write, in order, and only when flushed', () => {
  const { batch, sent, received } = open(100)
  batch.add(1, Uint8Array.of(1, 2, 3))
  batch.add(2, Uint8Array.of())
  expect(sent).toHaveLength(0)
  batch.flush()
  batch.flush()
  expect(sent).toHaveLength(1)
  batch.add(3, Uint8Array.of(9))
  batch.flush()
  expect(received).toEqual([
    { type: 1, payload: [1, 2, 3] },
    { type: 2, payload: [] },
    { type: 3, payload: [9] },
  ])
})

test('bytes given to send are never written to again', () => {
  const { batch, sent } = open(64)
  const copies: Uint8Array[] = []
  for (let i = 0; i < 50; i++) {
    batch.add(1, new Uint8Array(i).fill(i))
    if (i % 3 === 0) batch.flush()
    while (copies.length < sent.length) copies.push(sent[copies.length]!.slice())
  }
  expect(sent.map((bytes) => [...bytes])).toEqual(copies.map((bytes) => [...bytes]))
})

test('a large frame is written to again only when it is out, and then takes no new memory', () => {
  const sent: Uint8Array[] = []
  let borrowedBytes = 0
  const batch = new FrameBatch({
    bufferBytes: 16,
    send: (bytes) => {
      sent.push(bytes)
      borrowedBytes += bytes.length
      return false
    },
    borrowedBytes: () => borrowedBytes,
  })
  const add = (fill: number) => batch.add(1, new Uint8Array(1000).fill(fill))
  for (let i = 0; i < 3; i++) add(i)
  expect(sent.map((frame) => frame.at(-1))).toEqual([0, 1, 2])
  // All of the first is out, and of the second all but its last byte.
  borrowedBytes = sent[2]!.length + 1
  add(3)
  expect(sent[3]!.buffer).toBe(sent[0]!.buffer)
  add(4)
  expect(sent.slice(0, 4).some(({ buffer }) => buffer === sent[4]!.buffer)).toBe(false)
  expect(sent.slice(1).map((frame) => frame.at(-1))).toEqual([1, 2, 3, 4])
  borrowedBytes = 0
  for (let i = 5; i < 9; i++) add(i)
  expect(new Set(sent.map(({ buffer }) => buffer)).size).toBe(4)
})

test('what send gives back is used again, with the same frames on the wire', () => {
  const given = open(64)
  const reused = open(64, false)
  for (const { batch } of [given, reused]) {
    for (let i = 0; i < 100; i++) {
      batch.add(i & 3, new Uint8Array((i * 7) % 120).fill(i))
      if (i % 5 === 0) batch.flush()
    }
    batch.flush()
  }
  expect(reused.received).toEqual(given.received)
  expect(new Set(reused.sent.map((bytes) => bytes.buffer)).size).toBeLessThan(6)
})

test('a full batch and a frame larger than the buffer keep the order', () => {
  const { batch, received } = open(40)
  batch.add(1, new Uint8Array(20).fill(1))
  batch.add(2, new Uint8Array(20).fill(2))
  batch.add(3, new Uint8Array(200).fill(3))
  batch.add(4, new Uint8Array(1).fill(4))
  batch.flush()
  expect(received.map(({ type, payload }) => [type, payload.length])).toEqual([
    [1, 20],
    [2, 20],
    [3, 200],
    [4, 1],
  ])
})

test('a frame that is given up or fails leaves no trace', () => {
  const { batch, received } = open(200)
  batch.add(1, Uint8Array.of(1))
  expect(
    batch.addUpTo(2, 50, (payload) => {
      payload.fill(7)
      return undefined
    }),
  ).toBe(false)
  expect(() =>
    batch.addUpTo(3, 500, () => {
      throw new Error('no pages')
    }),
  ).toThrow('no pages')
  expect(batch.addUpTo(4, 100, (payload) => payload.fill(5).subarray(0, 2).length)).toBe(true)
  batch.flush()
  expect(received).toEqual([
    { type: 1, payload: [1] },
    { type: 4, payload: [5, 5] },
  ])
})
