import SchemaBuilder from '@pothos/core'
import { GraphQLError } from 'graphql'
import { isLsnText } from '../shared/lsn-text.ts'
import { type Failure, FailureError, type Result } from '../shared/result.ts'
import type { GraphContext } from './context.ts'

export const builder = new SchemaBuilder<{
  Context: GraphContext
  DefaultFieldNullability: false
  Scalars: {
    DateTime: { Input: Date; Output: Date }
    LSN: { Input: string; Output: string }
    BigInt: { Input: bigint; Output: bigint | number }
    JSON: { Input: unknown; Output: unknown }
    ID: { Input: string; Output: string | number | bigint }
  }
}>({ defaultFieldNullability: false })

export type Builder = typeof builder

builder.scalarType('DateTime', {
  description: 'A moment, ISO 8601 in UTC with milliseconds.',
  serialize: (value) => value.toISOString(),
  parseValue(value) {
    const time = typeof value === 'string' ? new Date(value) : undefined
    if (!time || Number.isNaN(time.getTime())) throw new GraphQLError('not a time: use ISO 8601')
    return time
  },
})

builder.scalarType('LSN', {
  description: "A position in the write-ahead log of a branch, as Postgres prints it: '0/16B3748'.",
  serialize: (value) => value,
  parseValue(value) {
    if (typeof value !== 'string' || !isLsnText(value)) throw new GraphQLError('not an LSN')
    return value
  },
})

builder.scalarType('BigInt', {
  description: 'A whole number of up to 64 bits, as decimal text.',
  serialize: (value) => String(value),
  parseValue(value) {
    if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
    if (typeof value === 'string' && /^-?\d{1,19}$/.test(value)) return BigInt(value)
    throw new GraphQLError('not a whole number')
  },
})

builder.scalarType('JSON', {
  description: 'Any JSON value.',
  serialize: (value) => value,
  parseValue: (value) => value,
})

builder.queryType({ description: 'What can be read.' })
builder.mutationType({
  description:
    'What can be changed. Each payload has `error`, null when all went well; asynchronous changes name their operations.',
})
builder.subscriptionType({ description: 'Changes as they happen; each event carries the thing as it is now.' })

/** An expected failure where the schema has no place for one. */
export function failureError(failure: Failure): GraphQLError {
  return new GraphQLError(failure.message, { extensions: { code: failure.code, field: failure.field } })
}

/** The value; NOT_FOUND is null; other failures are errors of the response. */
export function orNull<Value>(result: Result<Value>): Value | null {
  if (result.ok) return result.value
  if (result.error.code === 'NOT_FOUND') return null
  throw failureError(result.error)
}

export function orThrow<Value>(result: Result<Value>): Value {
  if (result.ok) return result.value
  throw failureError(result.error)
}

/** For calls that throw FailureError, such as pagination. */
export async function guarded<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof FailureError) throw failureError(error.failure)
    throw error
  }
}
