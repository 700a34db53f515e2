import * as fs from 'node:fs'
import { spawnProcess } from '../io/node-process.ts'

/**
 * A compute of an ordinary user mounts inside a user namespace of its own: the kernel lets it there, nobody outside sees
 * the mount, and it goes away with the last process in it. The device must be opened inside as well, so the whole sidecar
 * runs there, started once more through unshare.
 */
const NAMESPACE_VARIABLE = 'TRIBUTARY_COMPUTE_NAMESPACE'

export function isInOwnNamespace(): boolean {
  return process.env[NAMESPACE_VARIABLE] === 'own'
}

export function namespaceIsOfUse(mode: 'auto' | 'fuse' | 'hydrate'): boolean {
  if (mode === 'hydrate' || process.platform !== 'linux' || process.env[NAMESPACE_VARIABLE] !== undefined) return false
  if (process.getuid?.() === 0) return false
  try {
    fs.accessSync('/dev/fuse', fs.constants.R_OK | fs.constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Runs this program in a namespace and hands on its exit code; without namespaces, as it is, where `auto` hydrates. */
export async function runInNamespace(): Promise<number> {
  const map = [`--map-user=${process.getuid?.()}`, `--map-group=${process.getgid?.()}`]
  const unshare = ['unshare', '--user', '--mount', ...map, '--keep-caps']
  const isPossible = await exitCodeOf([...unshare, 'true'], {})
  const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  return isPossible === 0
    ? exitCodeOf([...unshare, ...self], { [NAMESPACE_VARIABLE]: 'own' })
    : exitCodeOf(self, { [NAMESPACE_VARIABLE]: 'none' })
}

async function exitCodeOf(command: string[], env: Record<string, string>): Promise<number> {
  try {
    const child = await spawnProcess({
      command: command[0]!,
      args: command.slice(1),
      env: { ...process.env, ...env },
      endsWithParent: true,
      ...(Object.keys(env).length === 0 ? { onLine: () => undefined } : {}),
    })
    const forward = (signal: NodeJS.Signals) => child.kill(signal)
    process.on('SIGTERM', forward)
    process.on('SIGINT', forward)
    const { code } = await child.exited
    return code ?? 1
  } catch {
    return 1
  }
}
