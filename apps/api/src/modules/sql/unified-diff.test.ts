import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { expect, test } from 'vitest'
import { unifiedDiff } from './unified-diff.ts'

const names = { left: 'left', right: 'right' }

test('equal texts have no difference', () => {
  expect(unifiedDiff('a\nb\n', 'a\nb\n', names)).toBe('')
})

test('a change is shown with three lines around it', () => {
  const left = ['1', '2', '3', '4', '5', '6', '7', '8', '9'].join('\n')
  expect(unifiedDiff(left, left.replace('5', 'five'), names)).toBe(
    '--- left\n+++ right\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n',
  )
})

test('patch turns the left text into the right one, for texts of many kinds', () => {
  if (!hasPatch()) return
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'diff-'))
  let seed = 7
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed % below
  }
  for (let round = 0; round < 60; round++) {
    const lines = Array.from({ length: random(30) }, () => `line ${random(8)}`)
    const changed = lines.flatMap((line) =>
      random(5) === 0 ? [] : random(5) === 0 ? [line, `new ${random(9)}`] : [line],
    )
    const [left, right] = [`${lines.join('\n')}\n`, `${changed.join('\n')}\n`]
    if (lines.length === 0 || changed.length === 0 || left === right) continue
    const file = path.join(folder, 'text')
    fs.writeFileSync(file, left)
    execFileSync('patch', ['-s', file], { input: unifiedDiff(left, right, names) })
    expect(fs.readFileSync(file, 'utf8')).toBe(right)
  }
  fs.rmSync(folder, { recursive: true })
})

function hasPatch(): boolean {
  try {
    execFileSync('patch', ['--version'])
    return true
  } catch {
    return false
  }
}
