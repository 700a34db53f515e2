import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'

/**
 * Lets the calling thread give way to others under contention: `niceness` from 0 (as before) to 19 (last). Linux schedules threads,
 * and tells which one this is; elsewhere, and where it is not allowed, nothing changes.
 */
export function lowerThreadPriority(niceness: number): void {
  if (niceness === 0 || process.platform !== 'linux') return
  try {
    os.setPriority(Number(path.basename(fs.readlinkSync('/proc/thread-self'))), niceness)
  } catch {
    // No /proc, or not allowed: the thread then competes as before.
  }
}

/**
 * The same for the whole process: to be called at its start, since threads have the priority of the thread that made them.
 * Where Linux shares the processor out among sessions first (autogroups), a process that leads a session of its own lowers
 * the session, too: the priority of a thread counts only within it.
 */
export function lowerProcessPriority(niceness: number): void {
  if (niceness === 0) return
  try {
    os.setPriority(niceness)
    if (process.platform === 'linux' && leadsSession()) fs.writeFileSync('/proc/self/autogroup', String(niceness))
  } catch {
    // Not allowed, or a kernel without autogroups.
  }
}

/** /proc/PID/stat: pid (name) state parent group session … */
function leadsSession(): boolean {
  const stat = fs.readFileSync('/proc/self/stat', 'utf8')
  const session = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]
  return Number(session) === process.pid
}
