import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from '../generated/prisma/client.ts'

export type { PrismaClient } from '../generated/prisma/client.ts'
export type Database = PrismaClient
/** Inside `database.$transaction`. */
export type Transaction = Parameters<Parameters<PrismaClient['$transaction']>[0]>[0]

/** 20 here, 20 of the workflow library, and a few single ones: below the 120 connections of the embedded server. */
const POOL_SIZE = 20

export function openDatabase(url: string, options: { onQuery?: (sql: string) => void } = {}): Database {
  const adapter = new PrismaPg({ connectionString: url, max: POOL_SIZE, application_name: 'tributary-api' })
  if (!options.onQuery) return new PrismaClient({ adapter })
  const client = new PrismaClient({ adapter, log: [{ emit: 'event', level: 'query' }] })
  client.$on('query', (event) => options.onQuery?.(event.query))
  return client as unknown as PrismaClient
}
