import { expect, test } from 'vitest'
import { placeBeside } from './place-beside.ts'

const window = { width: 400, height: 300 }
const size = { width: 100, height: 20 }
const anchor = { left: 180, top: 100, width: 40, height: 30 }

test('a box stands in the middle of the side it is wanted on', () => {
  expect(placeBeside(anchor, size, 'top', window)).toEqual({ left: 150, top: 74 })
  expect(placeBeside(anchor, size, 'bottom', window)).toEqual({ left: 150, top: 136 })
  expect(placeBeside(anchor, size, 'left', window)).toEqual({ left: 74, top: 105 })
  expect(placeBeside(anchor, size, 'right', window)).toEqual({ left: 226, top: 105 })
})

test('a box goes to the other side where the wanted one has no room', () => {
  expect(placeBeside({ ...anchor, top: 10 }, size, 'top', window)).toEqual({ left: 150, top: 46 })
  expect(placeBeside({ ...anchor, top: 265 }, size, 'bottom', window)).toEqual({ left: 150, top: 239 })
})

test('a box is pushed into the window, and shows its start when it is larger than the window', () => {
  expect(placeBeside({ ...anchor, left: 2 }, size, 'top', window).left).toBe(8)
  expect(placeBeside({ ...anchor, left: 390 }, size, 'top', window).left).toBe(292)
  expect(placeBeside(anchor, { width: 500, height: 20 }, 'top', window).left).toBe(8)
})
