import type { CodegenConfig } from '@graphql-codegen/cli'

/**
 * Types and documents of every .graphql file of the console, from the API's committed schema. The output is committed too, so
 * that type checks need no generation; documents are plain strings, so that browsers need no GraphQL parser.
 */
const config: CodegenConfig = {
  schema: process.env.TRIBUTARY_SCHEMA ?? '../api/schema.graphql',
  documents: ['{lib,shell,domain,features}/**/*.graphql'],
  generates: {
    'gql/graphql.ts': {
      plugins: ['typescript-operations', 'typed-document-node'],
      config: {
        documentMode: 'string',
        pureMagicComment: true,
        onlyOperationTypes: true,
        useTypeImports: true,
        skipTypename: true,
        defaultScalarType: 'unknown',
        scalars: {
          ID: 'string',
          DateTime: 'string',
          LSN: 'string',
          BigInt: 'string',
          JSON: 'unknown',
        },
      },
    },
  },
}

export default config
