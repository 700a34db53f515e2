import { schemaText } from '../graphql/schema.ts'

/** `npx tsx src/main/print-schema.ts > schema.graphql`: what the API serves, for the committed file. */
process.stdout.write(schemaText())
