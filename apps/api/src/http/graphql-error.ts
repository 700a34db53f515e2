import { unwrapResolverError } from '@apollo/server/errors'
import { isStorageError } from '@tributary/storage-engine/admin'
import type { FastifyBaseLogger } from 'fastify'
import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import { FailureError } from '../shared/result.ts'
import { codeByStorageError } from './failure-status.ts'

/** Failures keep their code; what nobody foresaw is masked, and logged with the id of the request. */
export function formatError(
  formatted: GraphQLFormattedError,
  error: unknown,
  log: FastifyBaseLogger,
): GraphQLFormattedError {
  const original = unwrapResolverError(error)
  if (original instanceof FailureError)
    return { ...formatted, message: original.failure.message, extensions: { code: original.failure.code } }
  if (isStorageError(original)) {
    log.warn({ err: original, path: formatted.path }, 'storage refused')
    return {
      ...formatted,
      message: original.message,
      extensions: { code: codeByStorageError[original.code] ?? 'INTERNAL_ERROR' },
    }
  }
  const code = formatted.extensions?.['code']
  const isExpected = original instanceof GraphQLError || (code !== undefined && code !== 'INTERNAL_SERVER_ERROR')
  if (isExpected) return formatted
  log.error({ err: original, path: formatted.path }, 'a resolver failed')
  return {
    message: 'internal error',
    ...(formatted.path ? { path: formatted.path } : {}),
    extensions: { code: 'INTERNAL_ERROR' },
  }
}
