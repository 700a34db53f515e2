import path from 'node:path'
import type { NextConfig } from 'next'

const repositoryFolder = path.resolve(import.meta.dirname, '../..')

/** The API is not known here: its address is run-time configuration of server/main.ts, which stands in front of Next.js. */
const config: NextConfig = {
  output: 'standalone',
  outputFileTracingRoot: repositoryFolder,
  turbopack: { root: repositoryFolder },
  transpilePackages: ['@tributary/ui'],
  poweredByHeader: false,
  reactStrictMode: true,
  devIndicators: false,
  // server/main.ts and the check script see to types; the build does not repeat them.
  typescript: { ignoreBuildErrors: true },
  experimental: { optimizePackageImports: ['lucide-react', 'recharts'] },
  headers: async () => [
    {
      source: '/:path*',
      headers: [
        { key: 'X-Content-Type-Options', value: 'nosniff' },
        { key: 'Referrer-Policy', value: 'same-origin' },
        {
          key: 'Content-Security-Policy',
          value: "frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'",
        },
      ],
    },
  ],
}

export default config
