import './organization.schema.ts'
import './project.schema.ts'
import './branch.schema.ts'
import './endpoint.schema.ts'
import './config.schema.ts'
import './operation.schema.ts'
import './timeline.schema.ts'
import './sql.schema.ts'
import './storage.schema.ts'
import './server.schema.ts'
import './subscription.schema.ts'
import { lexicographicSortSchema, printSchema } from 'graphql'
import { builder } from './builder.ts'

export const schema = builder.toSchema()

/** What is committed as apps/api/schema.graphql. */
export function schemaText(): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`
}
