/** What is nobody's business: names of the worker's files, and the map of changed blocks, which has a digit for each block. */
const MASKED = [
  { label: 'Filename(s):', isLast: () => false },
  { label: '(get_bit', isLast: (text: string) => /_pg_blk.*=0\)/.test(text) },
] as const

/** Words of a text are broken where a line ends. */
const textOf = (cells: readonly string[]): string => cells.join('').replaceAll(' ', '')

/** A drawn plan of EXPLAIN without that; lines that are left empty are drawn once. */
export function maskPlan(text: string): string {
  const lines = text.split('\n').map((line) => [...line])
  for (const { label, isLast } of MASKED) {
    for (let row = 0; row < lines.length; row++) {
      const line = lines[row]!
      for (let at = line.join('').indexOf(label); at >= 0; at = line.join('').indexOf(label)) {
        const left = line.lastIndexOf('│', at)
        const right = line.indexOf('│', at)
        const end = right < 0 ? line.length : right
        let masked = textOf(line.slice(left + 1, end))
        line.fill(' ', left + 1, end)
        // It goes on below, in the same box, up to a line of blanks.
        for (let below = row + 1; below < lines.length && !isLast(masked); below++) {
          const cells = lines[below]!.slice(left + 1, end)
          if (cells.every((cell) => cell === ' ') || cells.some((cell) => '─┌└'.includes(cell))) break
          masked += textOf(cells)
          lines[below]!.fill(' ', left + 1, Math.min(end, lines[below]!.length))
        }
      }
    }
  }
  const drawn = lines.map((line) => line.join(''))
  return drawn.filter((line, i) => line !== drawn[i - 1] || !/^[│ ]+$/.test(line)).join('\n')
}
