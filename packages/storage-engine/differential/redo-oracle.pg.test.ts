import { expect, test } from 'vitest'
import { RecordCoverage } from './redo-oracle/record-coverage.ts'
import { type OracleRunOptions, runRedoOracle } from './redo-oracle/run-oracle.ts'

const RECORDS_MIN = 500_000
const coverage = new RecordCoverage()

async function expectAgreement(options: OracleRunOptions): Promise<void> {
  const { oracle, files, log } = await runRedoOracle(options)
  console.log(
    [...log, `${oracle.coverage.recordCount} records, ${oracle.coverage.comparedCount} pages compared`].join('\n'),
  )
  console.log('at the end', files)
  expect(oracle.differences).toEqual([])
  expect(oracle.differenceCount).toBe(0)
  expect([...oracle.pendingVisibilityClears]).toEqual([])
  expect(files.pageCount).toBeGreaterThan(500)
  expect(files.visibilityPageCount).toBeGreaterThan(5)
  expect(files.slruPageCount).toBeGreaterThanOrEqual(3)
  coverage.merge(oracle.coverage)
}

test('redo equals Postgres on every page after every record, as computes run: no checksums, no full-page writes', async () => {
  await expectAgreement({ dataChecksums: false, fullPageWrites: false, scale: 0.3 })
})

test('redo equals Postgres with data checksums and full-page writes', async () => {
  await expectAgreement({ dataChecksums: true, fullPageWrites: true, scale: 0.05 })
})

test('redo equals Postgres with data checksums and without full-page writes', async () => {
  await expectAgreement({ dataChecksums: true, fullPageWrites: false, scale: 0.05 })
})

test('redo equals Postgres with compressed page images', async () => {
  await expectAgreement({ dataChecksums: true, fullPageWrites: true, scale: 0.01, compressImages: true })
})

test('the runs above met every record type that has native redo', () => {
  console.log(coverage.table())
  expect(coverage.missing()).toEqual([])
})

test(`the runs above had at least ${RECORDS_MIN} records`, () => {
  expect(coverage.recordCount).toBeGreaterThanOrEqual(RECORDS_MIN)
})
