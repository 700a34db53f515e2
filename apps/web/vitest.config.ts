import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { alias: { '@': import.meta.dirname } },
  test: { include: ['{lib,shell,domain,features,server}/**/*.test.ts'], environment: 'node' },
})
