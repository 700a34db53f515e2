import { spawn } from 'node:child_process'

export interface CommandResult {
  readonly code: number
  readonly seconds: number
}

/** Runs a program to its end with this process's streams; Ctrl-C reaches it as a member of the same group. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { cwd: string; env?: Readonly<Record<string, string>> },
): Promise<CommandResult> {
  const startedMs = performance.now()
  return new Promise((resolve) => {
    const child = spawn(command, [...args], {
      cwd: options.cwd,
      stdio: 'inherit',
      env: { ...process.env, ...options.env },
    })
    const done = (code: number) => resolve({ code, seconds: (performance.now() - startedMs) / 1000 })
    child.on('error', () => done(127))
    child.on('exit', (code, signal) => done(signal ? 1 : (code ?? 1)))
  })
}

/** `npx name` without npm's start-up time. */
export function binary(rootFolder: string, name: string): string {
  return `${rootFolder}/node_modules/.bin/${name}`
}
