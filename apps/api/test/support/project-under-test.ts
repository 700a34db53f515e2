import { expect } from 'vitest'
import { TestStack } from './test-stack.ts'

interface Payload {
  readonly operations?: { readonly id: string; readonly kind: string; readonly state: string }[]
  readonly error: { readonly code: string; readonly message: string; readonly field: string | null } | null
  readonly branch?: { readonly id: string }
  readonly snapshot?: { readonly id: string }
}

/** One project on a running API, and mutations of it in few words. */
export class ProjectUnderTest {
  readonly stack: TestStack
  readonly projectId: string
  readonly mainId: string
  readonly endpointId: string

  private constructor(stack: TestStack, ids: { projectId: string; mainId: string; endpointId: string }) {
    this.stack = stack
    this.projectId = ids.projectId
    this.mainId = ids.mainId
    this.endpointId = ids.endpointId
  }

  static async start(): Promise<ProjectUnderTest> {
    const stack = await TestStack.start()
    await stack.startApi()
    const made = await stack.ask(
      'mutation { createProject(input: { name: "changes" }) { project { id defaultBranch { id primaryEndpoint { id } } } } }',
    )
    const { project } = made.createProject
    await stack.waitForOperations()
    return new ProjectUnderTest(stack, {
      projectId: project.id,
      mainId: project.defaultBranch.id,
      endpointId: project.defaultBranch.primaryEndpoint.id,
    })
  }

  /** The payload of one mutation; `more` is selected of it besides the error. */
  async change(call: string, more = '', key?: string): Promise<Payload> {
    const data = await this.stack.ask(`mutation { ${call} { ${more} error { code message field } } }`, {}, key)
    return Object.values(data as Record<string, Payload>)[0]!
  }

  /** Code and message of the refusal. */
  async refusal(call: string, key?: string): Promise<string> {
    const { error } = await this.change(call, '', key)
    return error === null ? 'done' : `${error.code} ${error.message}`
  }

  async createBranch(input: string): Promise<string> {
    const made = await this.change(`createBranch(input: { projectId: "${this.projectId}", ${input} })`, 'branch { id }')
    expect(made.error).toBeNull()
    return made.branch?.id ?? ''
  }

  /** Newest first. */
  auditOf(action: string): Promise<Record<string, unknown>[]> {
    return this.stack.sql(`SELECT actor, subject, detail FROM "AuditEntry" WHERE action = $1 ORDER BY id DESC`, [
      action,
    ])
  }
}

export const until = (work: () => Promise<unknown>) => expect.poll(work, { timeout: 30_000, interval: 50 }).toBeTruthy()
