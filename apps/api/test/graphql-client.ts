import type { Product } from './product-fixture.ts'

// biome-ignore lint/suspicious/noExplicitAny: replies of many queries
export type Ask = (query: string, variables?: Record<string, unknown>) => Promise<any>

/** Asks the running system as its owner. Errors of the request, and of payloads, are thrown. */
export function graphqlClient(product: Pick<Product, 'restUrl' | 'apiKey'>): Ask {
  return async (query, variables = {}) => {
    const response = await fetch(product.restUrl.replace(/\/api\/v2$/, '/graphql'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${product.apiKey}` },
      body: JSON.stringify({ query, variables }),
    })
    const reply = (await response.json()) as { data: Record<string, { error?: unknown } | null>; errors?: unknown }
    const failure = reply.errors ?? Object.values(reply.data).find((value) => value?.error)?.error
    if (failure) throw new Error(JSON.stringify(failure))
    return reply.data
  }
}

/** Waits until the check answers with something; what it throws counts as nothing. */
export async function eventually<Value>(
  what: string,
  check: () => Promise<Value | undefined | null | false>,
  msMax = 60_000,
): Promise<Value> {
  const deadline = Date.now() + msMax
  while (true) {
    const value = await check().catch(() => undefined)
    if (value) return value
    if (Date.now() > deadline) throw new Error(`${what}: not within ${msMax} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Through the proxy, whatever names resolve here. */
export function clientUri(connectionUri: string, endpointId: string): string {
  const uri = new URL(connectionUri)
  uri.hostname = '127.0.0.1'
  uri.search = ''
  return `${uri.href}?options=${encodeURIComponent(`endpoint=${endpointId}`)}`
}
