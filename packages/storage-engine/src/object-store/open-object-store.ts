import type { Env } from '../io/env.ts'
import { openLocalObjectStore } from './local-object-store.ts'
import { meterObjectStore } from './metered-object-store.ts'
import type { ObjectStore } from './object-store.ts'
import type { ObjectStoreConfig } from './object-store-config.ts'
import { retryObjectStore } from './retrying-object-store.ts'
import { openS3ObjectStore } from './s3-object-store.ts'

/** The object store of a production process: the configured one, metered per attempt, with retries around it. */
export async function openObjectStore(
  config: ObjectStoreConfig,
  env: Pick<Env, 'clock' | 'random' | 'log' | 'metrics'>,
): Promise<ObjectStore> {
  const base =
    config.kind === 'local' ? await openLocalObjectStore({ folder: config.folder }) : openS3ObjectStore(config)
  return retryObjectStore(meterObjectStore(base, env), env)
}
