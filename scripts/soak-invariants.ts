import * as fs from 'node:fs'
import * as path from 'node:path'
import { z } from 'zod'

/** What must hold at the end of a soak: each check gives what does not hold, in words. */
export type AskAdmin = (path: string) => Promise<unknown>

const storageStatusReply = z.object({
  safekeepers: z.array(
    z.object({
      id: z.number(),
      state: z.string(),
      timelines: z.array(z.object({ timelineId: z.string(), commitLsn: z.string(), lagBytes: z.number() })),
    }),
  ),
  pageserver: z.object({
    state: z.string(),
    timelines: z.array(z.object({ timelineId: z.string(), lastRecordLsn: z.string(), lagBytes: z.number() })),
  }),
})
export type StorageStatusReply = z.infer<typeof storageStatusReply>

export async function storageStatus(admin: AskAdmin): Promise<StorageStatusReply> {
  return storageStatusReply.parse(await admin('/storage-status'))
}

const timelineReply = z.object({ timelineId: z.string(), ancestorTimelineId: z.string().nullable() })
export type TimelineReply = z.infer<typeof timelineReply>

/** Of all projects. */
export async function pageserverTimelines(home: string): Promise<TimelineReply[]> {
  const url = pageserverUrl(home)
  const projects = z.array(z.string()).parse(await (await fetch(`${url}/projects`)).json())
  const lists = projects.map(async (id) => (await fetch(`${url}/projects/${id}/timelines`)).json())
  return (await Promise.all(lists)).flatMap((list) => z.array(timelineReply).parse(list))
}

/** Nobody writes now: the three books must say the same. */
export function disagreements(
  catalog: readonly string[],
  status: StorageStatusReply,
  timelines: readonly TimelineReply[],
): string[] {
  const problems: string[] = []
  const inCatalog = new Set(catalog)
  const inPageserver = new Set(timelines.map(({ timelineId }) => timelineId))
  for (const id of catalog) if (!inPageserver.has(id)) problems.push(`the PageServer has no timeline ${id}`)
  for (const { timelineId } of timelines) {
    const isNeeded = timelines.some(({ ancestorTimelineId }) => ancestorTimelineId === timelineId)
    if (!inCatalog.has(timelineId) && !isNeeded) problems.push(`the PageServer has timeline ${timelineId} of no branch`)
  }
  for (const { timelineId, lagBytes } of status.pageserver.timelines)
    if (lagBytes > 0) problems.push(`the PageServer is ${lagBytes} bytes behind on ${timelineId}`)
  for (const { id, state, timelines: own } of status.safekeepers) {
    if (state !== 'ready') problems.push(`SafeKeeper ${id} is ${state}`)
    for (const { timelineId, lagBytes } of own) {
      if (!inPageserver.has(timelineId)) problems.push(`SafeKeeper ${id} has timeline ${timelineId} that is deleted`)
      if (lagBytes > 0) problems.push(`SafeKeeper ${id} is ${lagBytes} bytes behind on ${timelineId}`)
    }
  }
  return problems
}

/** Open files (connections among them) and resident bytes of the long-lived processes, by name. */
export type LeftoverSample = ReadonlyMap<string, { readonly files: number; readonly residentBytes: number }>

const stackInfoReply = z.object({ processes: z.array(z.object({ name: z.string(), pid: z.number().nullable() })) })
/** Pools and keep-alive connections come and go. */
const FILES_GROWTH_MAX = 60
/** Caches fill within their bounds; a leak of every step's state would be more. */
const RESIDENT_GROWTH_BYTES_MAX = 512 * 1024 * 1024

export async function sampleProcesses(admin: AskAdmin): Promise<LeftoverSample> {
  const { processes } = stackInfoReply.parse(await admin('/stack-info'))
  const sample = new Map<string, { files: number; residentBytes: number }>()
  for (const { name, pid } of processes) {
    if (pid === null || name.startsWith('compute-')) continue
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
    const residentKb = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0)
    sample.set(name, { files: fs.readdirSync(`/proc/${pid}/fd`).length, residentBytes: residentKb * 1024 })
  }
  return sample
}

/** What is left when the only project is deleted. */
export async function leftovers(
  home: string,
  admin: AskAdmin,
  before: LeftoverSample | undefined,
): Promise<readonly string[]> {
  const problems: string[] = []
  const computes = z.array(z.object({ computeId: z.string(), state: z.string() })).parse(await admin('/computes'))
  for (const { computeId, state } of computes)
    if (state === 'running' || state === 'starting') problems.push(`compute ${computeId} is ${state}`)
  const projects = await (await fetch(`${pageserverUrl(home)}/projects`)).json()
  if (JSON.stringify(projects) !== '[]') problems.push(`the PageServer has projects ${JSON.stringify(projects)}`)
  const { safekeepers, pageserver } = await storageStatus(admin)
  for (const { timelineId } of pageserver.timelines) problems.push(`the PageServer has timeline ${timelineId}`)
  for (const { id, timelines } of safekeepers)
    for (const { timelineId } of timelines) problems.push(`SafeKeeper ${id} has timeline ${timelineId}`)
  for (const folder of ['computes', 'run/postgres', 'object-store/projects', 'pageserver/projects'])
    for (const file of filesBelow(path.join(home, folder))) problems.push(`file ${file}`)
  for (const id of [1, 2, 3])
    for (const file of filesBelow(path.join(home, `safekeeper-${id}`, 'timelines'))) problems.push(`file ${file}`)
  for (const line of processesBelow(path.join(home, 'computes'))) problems.push(`process ${line}`)
  const now = await sampleProcesses(admin)
  for (const [name, { files, residentBytes }] of now) {
    const then = before?.get(name)
    if (!then) continue
    if (files > then.files + FILES_GROWTH_MAX) problems.push(`${name} has ${files} open files, ${then.files} before`)
    if (residentBytes > then.residentBytes + RESIDENT_GROWTH_BYTES_MAX)
      problems.push(`${name} has ${megabytes(residentBytes)} MB, ${megabytes(then.residentBytes)} before`)
  }
  if (problems.length === 0)
    for (const [name, { files, residentBytes }] of now)
      console.log(
        `${name}: ${files} open files (${before?.get(name)?.files}), ${megabytes(residentBytes)} MB (${megabytes(before?.get(name)?.residentBytes ?? 0)})`,
      )
  return problems.slice(0, 50)
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024)
}

function filesBelow(folder: string): string[] {
  if (!fs.existsSync(folder)) return []
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name))
}

function processesBelow(folder: string): string[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        return line.includes(`${folder}/`) ? [`${pid} ${line.slice(0, 200)}`] : []
      } catch {
        return []
      }
    })
}

function pageserverUrl(home: string): string {
  const config = z.object({ pageserver: z.object({ url: z.string() }) })
  return config.parse(JSON.parse(fs.readFileSync(path.join(home, 'run', 'api.json'), 'utf8'))).pageserver.url
}
