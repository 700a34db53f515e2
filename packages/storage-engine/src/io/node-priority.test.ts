import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { spawnProcess } from './node-process.ts'

test.runIf(process.platform === 'linux')(
  'a process lowers the priority of every thread it makes, and of the session that it leads',
  async () => {
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
    const code = `
      const { lowerProcessPriority } = await import(${JSON.stringify(new URL('node-priority.ts', import.meta.url).href)})
      const { Worker } = await import('node:worker_threads')
      const fs = await import('node:fs')
      lowerProcessPriority(7)
      const worker = new Worker(\`
        import { readlinkSync } from 'node:fs'
        import { getPriority } from 'node:os'
        import { parentPort } from 'node:worker_threads'
        parentPort.postMessage(getPriority(Number(readlinkSync('/proc/thread-self').split('/').pop())))
      \`, { eval: true })
      worker.once('message', (ofThread) => {
        const group = fs.existsSync('/proc/self/autogroup') ? fs.readFileSync('/proc/self/autogroup', 'utf8') : ''
        console.log(JSON.stringify({ ofThread, ofGroup: /nice (-?\\d+)/.exec(group)?.[1] ?? '7' }))
      })`
    const lines: string[] = []
    const child = await spawnProcess({
      command: process.execPath,
      args: ['--import', tsx, '--input-type=module', '-e', code],
      endsWithParent: true,
      onLine: (line) => lines.push(line),
    })
    expect(await child.exited).toEqual({ code: 0, signal: null })
    await expect.poll(() => lines).toEqual([JSON.stringify({ ofThread: 7, ofGroup: '7' })])
  },
)
