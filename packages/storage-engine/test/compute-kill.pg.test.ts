import fs from 'node:fs'
import { expect, test } from 'vitest'
import { isProcessAlive } from '../src/io/node-process.ts'
import { startStack } from './stack-fixture.ts'

test('kill -9 of a sidecar leaves neither its Postgres nor its mount behind, with nobody to clean up', async () => {
  const stack = await startStack()
  let supervisor: number | undefined
  try {
    await stack.query('CREATE TABLE t (a int)')
    const described = JSON.stringify(await stack.describe())
    const folder = /"folder":"([^"]+)"/.exec(described)![1]!
    const sidecar = Number(/"name":"compute-[0-9a-f]+","pid":(\d+)/.exec(described)![1])
    const postgres = Number(fs.readFileSync(`${folder}/pgdata/postmaster.pid`, 'utf8').split('\n')[0])
    // The supervisor would clean up as well: it sleeps meanwhile.
    supervisor = Number(/"pid":(\d+)/.exec(described)![1])
    process.kill(supervisor, 'SIGSTOP')
    process.kill(sidecar, 'SIGKILL')
    const isLeft = (): boolean => isProcessAlive(postgres) || fs.readFileSync('/proc/mounts', 'utf8').includes(folder)
    for (let i = 0; i < 100 && isLeft(); i++) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(isLeft()).toBe(false)
  } finally {
    if (supervisor !== undefined) process.kill(supervisor, 'SIGCONT')
    await stack.cleanup()
  }
}, 60_000)
