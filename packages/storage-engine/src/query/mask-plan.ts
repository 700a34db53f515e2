const LABEL = 'Filename(s):'

/** A drawn plan of EXPLAIN ANALYZE without the names of the worker's files, which are nobody's business. */
export function maskPlan(text: string): string {
  const lines = text.split('\n').map((line) => [...line])
  for (let row = 0; row < lines.length; row++) {
    const line = lines[row]!
    for (let at = line.join('').indexOf(LABEL); at >= 0; at = line.join('').indexOf(LABEL)) {
      const left = line.lastIndexOf('│', at)
      const right = line.indexOf('│', at)
      const end = right < 0 ? line.length : right
      line.fill(' ', left + 1, end)
      // The names go on below, in the same box, up to a line of blanks.
      for (let below = row + 1; below < lines.length; below++) {
        const cells = lines[below]!.slice(left + 1, end)
        if (cells.every((cell) => cell === ' ') || cells.some((cell) => '─┌└'.includes(cell))) break
        lines[below]!.fill(' ', left + 1, Math.min(end, lines[below]!.length))
      }
    }
  }
  return lines.map((line) => line.join('')).join('\n')
}
