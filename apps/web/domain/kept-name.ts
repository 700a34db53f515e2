/** Name for the state that a restore or reset puts aside: `main_old_20261125_1103`, within 63 characters. */
export function keptName(branchName: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().slice(0, 16).replace(/[-:]/g, '').replace('T', '_')
  const suffix = `_old_${stamp}`
  return `${branchName.slice(0, 63 - suffix.length)}${suffix}`
}
