import { spawn } from 'node:child_process'

export interface CommandResult {
  readonly code: number
  readonly seconds: number
}

/**
 * Runs a program to its end with this process's streams; Ctrl-C reaches it as a member of the same group. `quiet` shows
 * what it prints only when it fails.
 */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { cwd: string; env?: Readonly<Record<string, string>>; quiet?: boolean },
): Promise<CommandResult> {
  const startedMs = performance.now()
  return new Promise((resolve) => {
    const child = spawn(command, [...args], {
      cwd: options.cwd,
      stdio: options.quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      env: { ...process.env, ...options.env },
    })
    const output: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => output.push(chunk))
    const done = (code: number) => {
      if (code !== 0) process.stderr.write(Buffer.concat(output))
      resolve({ code, seconds: (performance.now() - startedMs) / 1000 })
    }
    child.on('error', (error) => {
      output.push(Buffer.from(`${error.message}\n`))
      done(127)
    })
    child.on('close', (code, signal) => done(signal ? 1 : (code ?? 1)))
  })
}

/** `npx name` without npm's start-up time. */
export function binary(rootFolder: string, name: string): string {
  return `${rootFolder}/node_modules/.bin/${name}`
}
