import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { HttpRouteProvider } from './http-route-provider.ts'

test('while the API is away roles that exist find their endpoint, and names that were made up are not remembered', async () => {
  const server = createServer((request, response) => {
    const user = new URL(request.url ?? '/', 'http://api').searchParams.get('user')
    const answer = {
      endpointId: 'ep-quiet-lake-123456',
      projectId: 'p',
      branchId: 'br-calm-sea-123456',
      state: 'active',
      address: { host: '127.0.0.1', port: 5432 },
      verifier: user === 'ann' ? 'SCRAM-SHA-256$4096:c2FsdA==$a:b' : null,
      limits: { connectionsMax: 1, idleTimeoutMs: 0 },
    }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  const provider = new HttpRouteProvider({ url, token: () => 'token', nowMs: () => 0 })
  const route = (user: string) =>
    provider.route({ endpoint: 'ep-quiet-lake-123456', user, database: 'app' }, { signal: AbortSignal.timeout(20_000) })
  expect([(await route('ann')).verifier === null, (await route('nobody')).verifier === null]).toEqual([false, true])
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  expect((await route('ann')).address).toEqual({ host: '127.0.0.1', port: 5432 })
  await expect(route('nobody')).rejects.toThrow('the control plane does not answer')
})
