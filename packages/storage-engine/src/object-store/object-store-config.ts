import { z } from 'zod'

/** Where a process keeps its objects; part of the configuration of safekeeper and pageserver. */
export const objectStoreConfig = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('local'),
    /** Absolute path; shared by the processes of one machine. */
    folder: z.string().min(1),
  }),
  z.strictObject({
    kind: z.literal('s3'),
    bucket: z.string().min(1),
    region: z.string().min(1).default('us-east-1'),
    /** Put before every key, without slashes at its ends. */
    prefix: z.string().default(''),
    /** For S3-compatible services; path-style addressing is used with it. */
    endpoint: z.url().optional(),
    /** Without them the usual AWS sources (environment, profile, instance role) are asked. */
    accessKeyId: z.string().optional(),
    secretAccessKey: z.string().optional(),
    requestTimeoutMs: z.number().int().positive().default(30_000),
  }),
])

export type ObjectStoreConfig = z.infer<typeof objectStoreConfig>
export type S3Config = Extract<ObjectStoreConfig, { kind: 's3' }>

/** What readers outside put before a key: an absolute folder, or `s3://bucket/prefix`; no slash at its end. */
export function objectStoreRoot(config: ObjectStoreConfig): string {
  if (config.kind === 'local') return config.folder
  return `s3://${config.bucket}${config.prefix === '' ? '' : `/${config.prefix}`}`
}
