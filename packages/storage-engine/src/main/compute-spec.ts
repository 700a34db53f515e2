import { z } from 'zod'
import type { ComputeSpec } from '../admin/compute-driver.ts'
import { checkComputeSettings } from '../admin/compute-settings.ts'
import { StorageError } from '../base/errors.ts'
import { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'

const LABELS_MAX = 16
const ROLES_MAX = 1000
/** SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>, as pg_authid keeps it. */
const SCRAM_VERIFIER = /^SCRAM-SHA-256\$\d{1,9}:[A-Za-z0-9+/=]{4,128}\$[A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{44}$/

const hexText = (length: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${length}}$`), `must be ${length} hex digits`)

const computeSpec = z.strictObject({
  computeId: hexText(16),
  projectId: hexText(32),
  timelineId: hexText(32),
  kind: z.enum(['primary', 'read-only']),
  lsn: z
    .string()
    .regex(/^[0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8}$/, "must be an lsn like '0/16B3748'")
    .optional(),
  settings: z.record(z.string(), z.string()),
  superuserPassword: z.string().min(8).max(256),
  roleVerifiers: z
    .record(z.string().min(1).max(63), z.string().regex(SCRAM_VERIFIER, 'must be a SCRAM verifier'))
    .optional(),
  labels: z.record(z.string().max(64), z.string().max(256)).optional(),
})

/** Throws `invalid-input` naming the field. */
export function parseComputeSpec(body: unknown): ComputeSpec {
  const parsed = computeSpec.safeParse(body)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new StorageError('invalid-input', `${issue?.path.join('.') || 'body'}: ${issue?.message}`)
  }
  const { projectId, timelineId, lsn, labels = {}, roleVerifiers = {}, ...rest } = parsed.data
  if ((rest.kind === 'read-only') !== (lsn !== undefined)) {
    throw new StorageError('invalid-input', 'lsn: is for read-only computes, and needed there')
  }
  if (rest.kind === 'primary' && Object.keys(roleVerifiers).length > 0) {
    throw new StorageError('invalid-input', 'roleVerifiers: are for read-only computes')
  }
  if (Object.keys(labels).length > LABELS_MAX)
    throw new StorageError('invalid-input', 'labels: too many', { max: LABELS_MAX })
  if (Object.keys(roleVerifiers).length > ROLES_MAX) {
    throw new StorageError('invalid-input', 'roleVerifiers: too many', { max: ROLES_MAX })
  }
  checkComputeSettings(rest.settings)
  return {
    ...rest,
    projectId: ProjectId.parse(projectId),
    timelineId: TimelineId.parse(timelineId),
    ...(lsn === undefined ? {} : { lsn: Lsn.format(Lsn.parse(lsn)) }),
    labels,
    roleVerifiers,
  }
}
