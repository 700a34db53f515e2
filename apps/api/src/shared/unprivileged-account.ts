/** nobody and nogroup: for programs that refuse to run as root. Undefined: we are not root, and they run as we do. */
export function unprivilegedAccount(): { readonly uid: number; readonly gid: number } | undefined {
  return process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined
}
