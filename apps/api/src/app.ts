import type { ComputeDriver, QueryClient, StackClient, StorageAdmin } from '@tributary/storage-engine/admin'
import type { FastifyBaseLogger } from 'fastify'
import type { Actor } from './auth/permission.ts'
import type { ApiConfig } from './config.ts'
import type { OperationQueue } from './control-plane/operations/operation-queue.ts'
import type { Database } from './db/database.ts'
import type { DemoProject } from './modules/demo/demo-project.ts'
import type { EventBus } from './shared/event-bus.ts'
import type { SecretBox } from './shared/secret-box.ts'

/** Everything from outside that services use. */
export interface App {
  readonly config: ApiConfig
  readonly log: FastifyBaseLogger
  readonly database: Database
  readonly secrets: SecretBox
  readonly bus: EventBus
  readonly storage: StorageAdmin
  readonly computes: ComputeDriver
  readonly stack: StackClient
  /** Null: this system runs no query worker. */
  readonly queries: QueryClient | null
  readonly operations: OperationQueue
  readonly demo: DemoProject
  /** Of this program. */
  readonly version: string
}

/** What a service knows of the call besides the actor. */
export interface CallOptions {
  readonly signal?: AbortSignal
  readonly requestId?: string
}

export type { Actor }
