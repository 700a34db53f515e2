const CONTEXT_LINES = 3
/** Beyond so many differences the middle is shown as replaced as a whole: the search is quadratic in them. */
const EDITS_MAX = 2000

type Edit = { readonly kind: ' ' | '-' | '+'; readonly text: string }

/** The unified form of `diff -u`, without times; empty when both texts are the same. */
export function unifiedDiff(
  left: string,
  right: string,
  names: { readonly left: string; readonly right: string },
): string {
  if (left === right) return ''
  const edits = lineEdits(linesOf(left), linesOf(right))
  const lines = [`--- ${names.left}`, `+++ ${names.right}`]
  for (const [from, to] of hunks(edits)) {
    const before = edits.slice(0, from)
    const hunk = edits.slice(from, to)
    const range = (skip: '+' | '-') => {
      const start = before.filter(({ kind }) => kind !== skip).length
      const count = hunk.filter(({ kind }) => kind !== skip).length
      return `${count === 0 ? start : start + 1},${count}`
    }
    lines.push(`@@ -${range('+')} +${range('-')} @@`, ...hunk.map(({ kind, text }) => `${kind}${text}`))
  }
  return `${lines.join('\n')}\n`
}

function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), greedy form, on what differs in the middle. */
function lineEdits(left: readonly string[], right: readonly string[]): Edit[] {
  let head = 0
  while (head < left.length && head < right.length && left[head] === right[head]) head++
  let tail = 0
  while (tail < left.length - head && tail < right.length - head && left.at(-1 - tail) === right.at(-1 - tail)) tail++
  const same = (lines: readonly string[]): Edit[] => lines.map((text) => ({ kind: ' ', text }))
  return [
    ...same(left.slice(0, head)),
    ...middleEdits(left.slice(head, left.length - tail), right.slice(head, right.length - tail)),
    ...same(left.slice(left.length - tail)),
  ]
}

function middleEdits(left: readonly string[], right: readonly string[]): Edit[] {
  const trace: Map<number, number>[] = []
  let furthest = new Map<number, number>([[1, 0]])
  for (let distance = 0; distance <= Math.min(left.length + right.length, EDITS_MAX); distance++) {
    trace.push(new Map(furthest))
    for (let diagonal = -distance; diagonal <= distance; diagonal += 2) {
      const down = furthest.get(diagonal + 1) ?? -1
      const across = furthest.get(diagonal - 1) ?? -1
      let x = diagonal === -distance || (diagonal !== distance && across < down) ? down : across + 1
      let y = x - diagonal
      while (x < left.length && y < right.length && left[x] === right[y]) {
        x++
        y++
      }
      furthest.set(diagonal, x)
      if (x >= left.length && y >= right.length) return backtrack(trace, left, right)
    }
  }
  furthest = new Map()
  return [...left.map((text): Edit => ({ kind: '-', text })), ...right.map((text): Edit => ({ kind: '+', text }))]
}

function backtrack(trace: readonly Map<number, number>[], left: readonly string[], right: readonly string[]): Edit[] {
  const edits: Edit[] = []
  let x = left.length
  let y = right.length
  for (let distance = trace.length - 1; distance >= 0; distance--) {
    const furthest = trace[distance]!
    const diagonal = x - y
    const down = furthest.get(diagonal + 1) ?? -1
    const across = furthest.get(diagonal - 1) ?? -1
    const previous = diagonal === -distance || (diagonal !== distance && across < down) ? diagonal + 1 : diagonal - 1
    const previousX = furthest.get(previous) ?? 0
    const previousY = previousX - previous
    while (x > previousX && y > previousY && x > 0 && y > 0) {
      edits.push({ kind: ' ', text: left[--x]! })
      y--
    }
    if (distance === 0) break
    if (x === previousX) edits.push({ kind: '+', text: right[--y]! })
    else edits.push({ kind: '-', text: left[--x]! })
  }
  return edits.reverse()
}

/** Ranges of edits with their context; those that touch are one. */
function hunks(edits: readonly Edit[]): [from: number, to: number][] {
  const ranges: [number, number][] = []
  for (const [index, { kind }] of edits.entries()) {
    if (kind === ' ') continue
    const from = Math.max(0, index - CONTEXT_LINES)
    const to = Math.min(edits.length, index + 1 + CONTEXT_LINES)
    const last = ranges.at(-1)
    if (last && from <= last[1]) last[1] = to
    else ranges.push([from, to])
  }
  return ranges
}
