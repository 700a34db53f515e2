import { defineConfig } from 'prisma/config'

// Migrations run on the WebAssembly engine from npm; see prisma/README.md. Set before the CLI looks for its own.
process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= new URL('./prisma/schema-engine.mjs', import.meta.url).pathname
process.env['CHECKPOINT_DISABLE'] ??= '1'

export default defineConfig({
  schema: 'prisma/schema',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env['DATABASE_URL'] ?? 'postgresql://postgres@127.0.0.1:5432/tributary_control' },
})
