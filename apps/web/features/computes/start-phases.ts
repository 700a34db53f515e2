interface Phase {
  readonly name: string
  readonly ms: number
}

/** The phase that spans all others: from the start of the process until Postgres takes connections. */
export const wholeStart = 'process'
/** What of it no other phase accounts for. */
export const restOfStart = 'launch the process'

const words: Readonly<Record<string, string>> = {
  mount: 'mount the storage',
  elect: 'win the term',
  bundle: 'fetch start files',
  'data-dir': 'lay out the data folder',
  postgres: 'start Postgres',
  stream: 'open the WAL stream',
  roles: 'apply roles',
}

/** The phases of a start as the engine measures them, in words for the reader. */
export function startPhases(phases: readonly Phase[]): Phase[] {
  return phases.map(({ name, ms }) => ({ name: words[name] ?? name, ms }))
}
