import type { Tone } from '@tributary/ui/lib/tone'
import type { FaultDrillKind, OperationState } from '../../gql/graphql.ts'
import type { LayerKind } from './layer-map.ts'

export interface KindLook {
  label: string
  explanation: string
  /** A colour of the charts, and a hatch of its own: told apart without colour too. */
  color: string
  hatch: 'none' | 'rising' | 'dots'
}

export const layerLooks: Record<LayerKind, KindLook> = {
  delta: {
    label: 'Delta',
    explanation: 'WAL records of many keys over a range of the log.',
    color: 'var(--chart-1)',
    hatch: 'none',
  },
  columnar: {
    label: 'Columnar',
    explanation: 'Rows of a user table as Parquet: the one copy that Postgres and analytics both read.',
    color: 'var(--chart-2)',
    hatch: 'rising',
  },
  'page-image': {
    label: 'Page image',
    explanation: 'Whole pages as of one LSN, for indexes, catalogs and what cannot be kept as columns.',
    color: 'var(--chart-3)',
    hatch: 'dots',
  },
}

export function layerLook(kind: string): KindLook {
  const known: Record<string, KindLook> = layerLooks
  return known[kind] ?? { label: kind, explanation: '', color: 'var(--chart-6)', hatch: 'none' }
}

/** What lies in object storage, by the API's names of kinds. */
const objectKinds: Record<string, { label: string; explanation: string }> = {
  'delta-layer': { label: 'Delta layers', explanation: 'changes of many keys over a range of the log' },
  'page-image-layer': { label: 'Page image layers', explanation: 'whole pages of indexes, catalogs and the like' },
  'columnar-layer': { label: 'Columnar layers', explanation: 'rows of user tables as Parquet' },
  index: { label: 'Indexes', explanation: 'the lists of layers of each branch' },
  'delta-log': { label: 'Delta logs', explanation: 'versions of published tables' },
  'deletion-vector': { label: 'Deletion vectors', explanation: 'rows that published versions leave out' },
  wal: { label: 'Log segments', explanation: 'the log that SafeKeepers have handed over' },
  generation: { label: 'Generations', explanation: 'which PageServer may write' },
  project: { label: 'Project files', explanation: 'what the project is, and its first pages' },
  'unnamed-layer': { label: 'Layers without a name in an index', explanation: 'left over; removed by the next scrub' },
  other: { label: 'Other', explanation: 'what has no kind of its own, such as the bundle that computes start from' },
}

export function objectKind(kind: string): { label: string; explanation: string } {
  return objectKinds[kind] ?? { label: kind, explanation: '' }
}

const tones: Record<string, Tone> = {
  ready: 'positive',
  running: 'positive',
  starting: 'active',
  restarting: 'caution',
  rebuilding: 'caution',
  stopping: 'caution',
  stopped: 'danger',
  unreachable: 'danger',
}

/** How the state of a process or a storage node looks. An unknown one is shown as trouble. */
export const stateTone = (state: string): Tone => tones[state] ?? 'danger'
export const isMoving = (state: string) => /ing$/.test(state) && state !== 'running'

export const isUnderWay = ({ state }: { state: OperationState }) => state === 'RUNNING' || state === 'SCHEDULING'

export const drillKinds: Record<FaultDrillKind, { label: string; what: string; needsSafekeeper: boolean }> = {
  STOP_SAFEKEEPER: {
    label: 'Stop a SafeKeeper',
    what: 'One SafeKeeper is stopped and started again when the time is over. The other two are still a majority: commits should go on.',
    needsSafekeeper: true,
  },
  KILL_SAFEKEEPER: {
    label: 'Kill a SafeKeeper',
    what: 'One SafeKeeper is killed without warning; the supervisor starts it again and it catches up from its peers.',
    needsSafekeeper: true,
  },
  KILL_COMPUTE: {
    label: 'Kill the compute',
    what: 'The Postgres of this branch is killed without warning. Clients lose their connections until a new compute is elected and started.',
    needsSafekeeper: false,
  },
  CUT_COMPUTE_FROM_QUORUM: {
    label: 'Cut the compute from the quorum',
    what: 'The links from the compute to all SafeKeepers are cut. No commit can return until they are mended; nothing acknowledged may be lost.',
    needsSafekeeper: false,
  },
}

export function drillTitle({
  kind,
  safekeeperId,
  seconds,
}: {
  kind: FaultDrillKind
  safekeeperId: number | null
  seconds: number
}): string {
  const { label, needsSafekeeper } = drillKinds[kind]
  const what =
    needsSafekeeper && safekeeperId !== null ? label.replace('a SafeKeeper', `safekeeper-${safekeeperId}`) : label
  return `${what} for ${seconds} s`
}
