/** The recent past of one value, without axes. Plain SVG: cheap enough for every row of a table. */
export function Sparkline({ values, label }: { values: readonly (number | null)[]; label: string }) {
  const known = values.filter((value): value is number => value !== null)
  if (known.length < 2) return <div className="h-7" />
  const low = Math.min(...known)
  const span = Math.max(...known) - low || 1
  let path = ''
  let isPenDown = false
  for (const [index, value] of values.entries()) {
    if (value === null) {
      isPenDown = false
      continue
    }
    const x = ((index / (values.length - 1)) * 100).toFixed(2)
    const y = (26 - ((value - low) / span) * 24).toFixed(2)
    path += `${isPenDown ? 'L' : 'M'}${x} ${y}`
    isPenDown = true
  }
  return (
    <svg
      viewBox="0 0 100 28"
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
      className="h-7 w-full text-stream"
    >
      <path d={path} fill="none" stroke="currentColor" strokeWidth="1.5" vectorEffect="non-scaling-stroke" />
    </svg>
  )
}
