import * as fs from 'node:fs'
import { z } from 'zod'
import { errorText, StorageError } from '../base/errors.ts'

/** The settings in the JSON file that TRIBUTARY_CONFIG names. Throws `invalid-input` naming the file and each wrong field. */
export function readConfig<Schema extends z.ZodType>(
  schema: Schema,
  environment: Readonly<Record<string, string | undefined>>,
): z.infer<Schema> {
  const path = environment.TRIBUTARY_CONFIG
  if (!path) throw new StorageError('invalid-input', 'TRIBUTARY_CONFIG does not name a configuration file')
  let json: unknown
  try {
    json = JSON.parse(fs.readFileSync(path, 'utf8'))
  } catch (error) {
    throw new StorageError('invalid-input', 'configuration file cannot be read', { path, reason: errorText(error) })
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new StorageError('invalid-input', `${path}: ${z.prettifyError(parsed.error)}`)
}
