import * as fs from 'node:fs'
import { createRequire } from 'node:module'
import * as path from 'node:path'
import { OpenAPIBackend } from 'openapi-backend'
import { parse } from 'yaml'

const isTime = (text: string) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text)
const formats = {
  int32: { type: 'number', validate: (value: number) => Number.isInteger(value) && Math.abs(value) < 2 ** 31 },
  int64: { type: 'number', validate: Number.isSafeInteger },
  uint64: { type: 'number', validate: (value: number) => Number.isSafeInteger(value) && value >= 0 },
  double: { type: 'number', validate: Number.isFinite },
  int: { type: 'number', validate: Number.isSafeInteger },
  email: /^[^@\s]+@[^@\s]+$/,
  uuid: /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/,
  'date-time': isTime,
} as const

/** Calls the REST interface, and holds every answer against the public document. */
export class RestClient {
  readonly #url: string
  readonly #key: string
  readonly #document: OpenAPIBackend
  readonly #templates: { method: string; pattern: RegExp; operationId: string }[]
  /** Operations answered with success at least once. */
  readonly seen = new Set<string>()

  private constructor(url: string, key: string, document: OpenAPIBackend) {
    this.#url = url
    this.#key = key
    this.#document = document
    this.#templates = document
      .getOperations()
      .map(({ method, path: template, operationId }) => ({
        method: method.toUpperCase(),
        // What is spelled out goes before parameters.
        pattern: new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`),
        operationId: operationId ?? '',
        parameters: template.split('{').length,
      }))
      .sort((a, b) => a.parameters - b.parameters)
  }

  static async open(url: string, key: string): Promise<RestClient> {
    const entry = createRequire(import.meta.url).resolve('@neondatabase/api-client')
    let folder = path.dirname(entry)
    while (!fs.existsSync(path.join(folder, 'public-v2-for-users.gen.yaml'))) folder = path.dirname(folder)
    const definition = parse(fs.readFileSync(path.join(folder, 'public-v2-for-users.gen.yaml'), 'utf8'))
    const document = new OpenAPIBackend({
      definition,
      quick: true,
      ajvOpts: { strict: false, formats },
    })
    await document.init()
    return new RestClient(url, key, document)
  }

  as(key: string): RestClient {
    return new RestClient(this.#url, key, this.#document)
  }

  /** Throws when the answer breaks the document. */
  async call(method: string, target: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.#url}${target}`, {
      method,
      headers: {
        ...(this.#key === '' ? {} : { authorization: `Bearer ${this.#key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const value: unknown = text === '' ? undefined : JSON.parse(text)
    const pathname = target.split('?')[0] ?? ''
    const operation = this.#templates.find((one) => one.method === method && one.pattern.test(pathname))
    if (operation && text !== '') {
      const { errors } = this.#document.validateResponse(value, operation.operationId, response.status)
      if (errors && errors.length > 0)
        throw new Error(
          `${operation.operationId} ${response.status} breaks the document: ${JSON.stringify(errors)}\n${text.slice(0, 2000)}`,
        )
      if (response.ok) this.seen.add(operation.operationId)
    }
    return { status: response.status, body: value as Answer['body'], headers: response.headers }
  }

  /** A call that must succeed. */
  async ok(method: string, target: string, body?: unknown): Promise<Answer['body']> {
    const answer = await this.call(method, target, body)
    if (answer.status >= 300) throw new Error(`${method} ${target}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  /** Polls the operations of an answer to their end; throws when one fails. */
  async finish(answer: { operations?: { id: string; project_id: string }[] }): Promise<void> {
    for (const { id, project_id } of answer.operations ?? []) {
      for (;;) {
        const { operation } = await this.ok('GET', `/projects/${project_id}/operations/${id}`)
        if (operation.status === 'finished' || operation.status === 'skipped') break
        if (['failed', 'error', 'cancelled'].includes(operation.status))
          throw new Error(`operation ${operation.action} ${operation.status}: ${operation.error}`)
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
  }
}

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: the document says what is in it, and every answer is held against it
  readonly body: any
  readonly headers: Headers
}
