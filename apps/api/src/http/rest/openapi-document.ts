import { z } from 'zod'
import type { RestRoute } from './rest-route.ts'

/** OpenAPI 3.1 of exactly the operations in the table: no operation is in it that is not served, and the other way round. */
export function openApiDocument(routes: readonly RestRoute[], version: string): object {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const path = paths[route.path] ?? {}
    path[route.method.toLowerCase()] = operation(route)
    paths[route.path] = path
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tributary REST interface',
      version,
      description:
        'The part of the public Neon API v2 that this system serves. Answers have the fields of that document.',
    },
    servers: [{ url: '/api/v2' }],
    security: [{ BearerAuth: [] }],
    paths,
    components: {
      securitySchemes: { BearerAuth: { type: 'http', scheme: 'bearer' } },
      schemas: {
        GeneralError: {
          type: 'object',
          required: ['code', 'message'],
          properties: { request_id: { type: 'string' }, code: { type: 'string' }, message: { type: 'string' } },
        },
      },
    },
  }
}

function operation(route: RestRoute): object {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const query = jsonSchema(route.query) as { properties?: Record<string, object>; required?: string[] }
  const inQuery = Object.entries(query.properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: query.required?.includes(name) ?? false,
    schema,
  }))
  return {
    operationId: route.operationId,
    summary: route.summary,
    parameters: [...inPath, ...inQuery],
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: !route.body.safeParse(undefined).success,
            content: { 'application/json': { schema: jsonSchema(route.body) } },
          },
        }),
    responses: {
      [route.status]: {
        description: 'success',
        ...(route.returns === 'empty'
          ? {}
          : { content: { 'application/json': { schema: answerSchema(route.returns) } } }),
      },
      default: {
        description: 'failure',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/GeneralError' } } },
      },
    },
  }
}

function answerSchema(returns: readonly string[] | 'list'): object {
  if (returns === 'list') return { type: 'array', items: { type: 'object' } }
  return { type: 'object', properties: Object.fromEntries(returns.map((name) => [name, {}])) }
}

function jsonSchema(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return rest
}
