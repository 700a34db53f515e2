import * as fs from 'node:fs'
import * as path from 'node:path'
import {
  buildSchema,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql'

/** Requests made from the schema itself: no field of it can be forgotten. */
export const schema = buildSchema(
  fs.readFileSync(path.resolve(import.meta.dirname, '..', '..', 'schema.graphql'), 'utf8'),
)

/** What an id argument may name, by its field and its own name. */
function idFor(field: string, argument: string, known: Readonly<Record<string, string>>): string {
  const kind = kindOf(field, argument)
  return known[kind] ?? known['other'] ?? ''
}

function kindOf(field: string, argument: string): string {
  if (argument !== 'id') return argument.replace(/Id$/, '').replace(/^(parent|source|with)(B?b?ranch)?$/, 'branch')
  if (/SavedQuery|saveQuery/.test(field)) return 'savedQuery'
  if (/ApiKey/.test(field)) return 'apiKey'
  if (/[Ee]ndpoint/.test(field)) return 'endpoint'
  if (/[Ss]napshot/.test(field)) return 'snapshot'
  if (/[Bb]ranch/.test(field)) return 'branch'
  if (/[Pp]roject/.test(field)) return 'project'
  if (/[Oo]peration/.test(field)) return 'operation'
  if (/^faultDrill/.test(field)) return 'drill'
  return 'other'
}

function sampleOf(
  type: GraphQLInputType,
  field: string,
  name: string,
  known: Readonly<Record<string, string>>,
): unknown {
  if (isNonNullType(type)) return sampleOf(type.ofType, field, name, known)
  if (isListType(type)) return [sampleOf(type.ofType, field, name, known)]
  if (isEnumType(type)) return type.getValues()[0]?.name
  if (isInputObjectType(type)) {
    if (type.name === 'PointInput') return { lsn: '0/1000010' }
    const required = Object.values(type.getFields()).filter(
      (input) => isNonNullType(input.type) || input.name.endsWith('Id'),
    )
    return Object.fromEntries(
      required
        .filter(
          (input) => !['snapshotId', 'sourceBranchId', 'queryId', 'safekeeperId', 'parentId'].includes(input.name),
        )
        .map((input) => [input.name, sampleOf(input.type, field, input.name, known)]),
    )
  }
  switch (type.name) {
    case 'ID':
      return idFor(field, name, known)
    case 'Int':
      return 1
    case 'Boolean':
      return true
    case 'DateTime':
      return '2026-01-01T00:00:00Z'
    case 'LSN':
      return '0/1000010'
    default:
      if (name === 'name' && /Role/.test(field) && field !== 'createRole') return 'neondb_owner'
      if ((name === 'name' && /Database/.test(field) && field !== 'createDatabase') || name === 'database')
        return 'neondb'
      return name === 'slug' ? (known['slug'] ?? 'no-such-slug') : 'private'
  }
}

/** Selects `error`, or an id, or __typename: what tells whether something came through. */
export function selection(type: GraphQLOutputType): string {
  if (isNonNullType(type) || isListType(type)) return selection(type.ofType)
  if (!isObjectType(type)) return type.name === 'Node' ? '{ id }' : ''
  const fields = type.getFields()
  return fields['error'] && type.name.endsWith('Payload')
    ? '{ error { code message } }'
    : fields['id']
      ? '{ id }'
      : '{ __typename }'
}

/** A request for one field of Query, Mutation or Subscription, with what its arguments need; ids are those of `known`. */
export function document(kind: string, field: GraphQLField<unknown, unknown>, known: Readonly<Record<string, string>>) {
  const used = field.args.filter((argument: GraphQLArgument) => isNonNullType(argument.type))
  const variables = Object.fromEntries(
    used.map((argument) => [argument.name, sampleOf(argument.type, field.name, argument.name, known)]),
  )
  const declared = used.map((argument) => `$${argument.name}: ${argument.type}`).join(', ')
  const passed = used.map((argument) => `${argument.name}: $${argument.name}`).join(', ')
  const query = `${kind} ${used.length > 0 ? `(${declared})` : ''} { ${field.name}${used.length > 0 ? `(${passed})` : ''} ${selection(field.type)} }`
  return { query, variables }
}
