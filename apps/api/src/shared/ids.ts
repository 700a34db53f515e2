import { randomBytes, randomInt, randomUUID } from 'node:crypto'

/**
 * Names of things as clients of the public REST interface expect them: `br-aged-salad-637688` for a branch (a command line
 * takes anything else for a name), `ep-…` for an endpoint, `late-frost-12345678` for a project.
 */
const ADJECTIVES =
  'aged amber ancient autumn billowing bitter black blue bold broad calm cold cool crimson curly damp dark dawn delicate divine dry empty falling fancy flat floral fragrant frosty gentle green hidden holy icy jolly late lingering little lively long lucky misty morning muddy mute nameless noisy odd old orange patient plain polished proud purple quiet rapid raspy red restless rough round royal shiny shrill shy silent small snowy soft solitary sparkling spring square steep still summer super sweet throbbing tight tiny twilight wandering weathered white wild winter wispy withered yellow young'.split(
    ' ',
  )
const NOUNS =
  'art band bar base bird block boat bonus bread breeze brook bush butterfly cake cell cherry cloud credit darkness dawn dew disk dream dust feather field fire firefly flower fog forest frog frost glade glitter grass hall hat haze heart hill king lab lake leaf limit math meadow mode moon morning mountain mouse mud night paper pine poetry pond queen rain recipe resonance rice river salad scene sea shadow shape silence sky smoke snow snowflake sound star sun sunset surf term thunder tooth tree truth union unit violet voice water waterfall wave wildflower wind wood'.split(
    ' ',
  )

function words(): string {
  return `${ADJECTIVES[randomInt(ADJECTIVES.length)]}-${NOUNS[randomInt(NOUNS.length)]}`
}

function digits(count: number): string {
  return String(randomInt(10 ** (count - 1), 10 ** count))
}

export const newProjectId = (): string => `${words()}-${digits(8)}`
export const newBranchId = (): string => `br-${words()}-${digits(8)}`
export const newEndpointId = (): string => `ep-${words()}-${digits(8)}`
export const newSnapshotId = (): string => `snap-${words()}-${digits(8)}`
export const newOrganizationId = (): string => `org-${words()}-${digits(8)}`
export const newUuid = (): string => randomUUID()
/** Of projects and timelines in storage: 16 bytes. */
export const newStorageId = (): string => randomBytes(16).toString('hex')
/** Of a compute: 8 bytes. */
export const newComputeId = (): string => randomBytes(8).toString('hex')
/** 24 characters of base64url: 144 bits. */
export const newPassword = (): string => randomBytes(18).toString('base64url')
