import { expect } from 'vitest'
import type { Stack } from '../stack-fixture.ts'
import { amcheckDatabase } from './amcheck.ts'
import type { Ledger } from './ledger.ts'

/** Nothing that was acknowledged is missing, nothing is there that was not, sums hold, and amcheck finds every index and heap whole. */
export async function expectPromisesKept(stack: Stack, ledger: Ledger): Promise<void> {
  const findings = await ledger.findings()
  expect(findings.lost).toEqual([])
  expect(findings.invented).toEqual([])
  expect(findings.balanceSum).toBe(0)
  expect(findings.mismatch).toBe(0)
  await stack.withClient(async (client) => expect(await amcheckDatabase(client)).toEqual([]))
}
