import { expect, test } from 'vitest'
import { CorruptionError } from '../base/errors.ts'
import { encodeFrame, FRAME_HEADER_SIZE, FrameDecoder, sealSplitFrame } from './framing.ts'

function decodeAll(chunks: Uint8Array[], payloadBytesMax = 1000): { type: number; payload: number[] }[] {
  const frames: { type: number; payload: number[] }[] = []
  const decoder = new FrameDecoder({
    payloadBytesMax,
    onFrame: (type, payload) => frames.push({ type, payload: [...payload] }),
  })
  for (const chunk of chunks) decoder.push(chunk)
  return frames
}

const stream = Uint8Array.from([
  ...encodeFrame(1, Uint8Array.of(1, 2, 3)),
  ...encodeFrame(2, new Uint8Array(0)),
  ...encodeFrame(255, new Uint8Array(100).fill(7)),
])

test('frames come out the same wherever the stream is cut into three chunks', () => {
  const whole = decodeAll([stream])
  expect(whole.map((frame) => [frame.type, frame.payload.length])).toEqual([
    [1, 3],
    [2, 0],
    [255, 100],
  ])
  for (let a = 0; a <= stream.length; a += 3) {
    for (let b = a; b <= stream.length; b += 5) {
      expect(decodeAll([stream.slice(0, a), stream.slice(a, b), stream.slice(b)])).toEqual(whole)
    }
  }
})

test('a decoder that lends its memory gives the same frames, wherever the stream is cut and wherever the bytes land', () => {
  const large = encodeFrame(
    7,
    Uint8Array.from({ length: 900 }, (_, i) => i),
  )
  const input = Uint8Array.from([...stream, ...large, ...stream, ...large, ...large])
  for (const lands of [true, false]) {
    for (let step = 1; step < 1200; step = step < 20 ? step + 1 : step * 2 + 1) {
      const frames: { type: number; payload: number[] }[] = []
      const decoder = new FrameDecoder({
        payloadBytesMax: 1000,
        lendsFrames: true,
        onFrame: (type, payload) => frames.push({ type, payload: [...payload] }),
      })
      for (let at = 0; at < input.length; ) {
        const place = lands ? decoder.nextBuffer() : new Uint8Array(step)
        const length = Math.min(step, place.length, input.length - at)
        place.set(input.subarray(at, at + length))
        decoder.push(place.subarray(0, length))
        at += length
      }
      expect(frames).toEqual(decodeAll([input]))
    }
  }
})

test('a frame sealed in two parts reads like one sealed whole', () => {
  const head = new Uint8Array(FRAME_HEADER_SIZE + 2)
  head.set([9, 8], FRAME_HEADER_SIZE)
  const tail = Uint8Array.of(7, 6, 5)
  sealSplitFrame(head, tail, 4)
  expect(decodeAll([head, tail])).toEqual([{ type: 4, payload: [9, 8, 7, 6, 5] }])
})

test('any single flipped bit in a frame is a CorruptionError and nothing is delivered', () => {
  const frame = encodeFrame(3, Uint8Array.of(10, 20, 30, 40))
  for (let bit = 0; bit < frame.length * 8; bit++) {
    const flipped = frame.slice()
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    let frames: unknown[] = []
    try {
      frames = decodeAll([flipped])
    } catch (error) {
      expect(error).toBeInstanceOf(CorruptionError)
    }
    // A flip in the length may only make the frame look unfinished.
    expect(frames).toEqual([])
  }
})

test('a length over the bound is refused before anything is allocated for it', () => {
  const frame = encodeFrame(3, new Uint8Array(50))
  expect(() => decodeAll([frame.slice(0, FRAME_HEADER_SIZE)], 49)).toThrow('frame too long')
})

test('a closed decoder drops the rest of the chunk', () => {
  const seen: number[] = []
  const decoder = new FrameDecoder({
    payloadBytesMax: 1000,
    onFrame: (type) => {
      seen.push(type)
      decoder.close()
    },
  })
  decoder.push(stream)
  expect(seen).toEqual([1])
})
