import * as fs from 'node:fs'
import { type StackFile, startStack } from './stack.ts'

/**
 * One whole stack for all specs: `npm start` in a fresh home. `TRIBUTARY_E2E_STACK` names the stack.json of a stack that
 * already runs, to try a spec without waiting.
 */
export default async function globalSetup(): Promise<(() => Promise<void>) | undefined> {
  const running = process.env.TRIBUTARY_E2E_STACK
  if (running !== undefined) {
    publish(JSON.parse(fs.readFileSync(running, 'utf8')) as StackFile)
    return undefined
  }
  const stack = await startStack()
  publish(stack.file)
  return () => stack.stop()
}

/** Workers are processes of their own and get what they need through the environment. */
function publish(file: StackFile): void {
  process.env.TRIBUTARY_E2E_STACK_JSON = JSON.stringify(file)
}
