/** Rules of what is typed into forms. Each returns what is wrong, or undefined. The API decides; these answer sooner. */

export function validateName(name: string, what: string): string | undefined {
  if (name.trim() === '') return `Give the ${what} a name.`
  if (name.trim().length > 63) return `At most 63 characters; this has ${name.trim().length}.`
  return undefined
}

export function validateEmail(email: string): string | undefined {
  return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email.trim()) ? undefined : 'Enter an address like name@example.com.'
}

export const passwordLengthMin = 8

export function validatePassword(password: string): string | undefined {
  return password.length < passwordLengthMin ? `At least ${passwordLengthMin} characters.` : undefined
}

/** Postgres truncates names at 63 bytes without a word; the console refuses instead. */
export function validateSqlName(name: string, what: string): string | undefined {
  if (name === '') return `Give the ${what} a name.`
  const bytes = new TextEncoder().encode(name).length
  if (bytes > 63) return `At most 63 bytes; this has ${bytes}.`
  if (what === 'role' && name.startsWith('pg_')) return 'Postgres keeps names that start with pg_ for itself.'
  return undefined
}

export function validateSlug(slug: string): string | undefined {
  if (!/^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$/.test(slug)) return 'Lower-case letters, digits and dashes, up to 48.'
  return undefined
}

/** `Acme Data & Co.` -> `acme-data-co`. */
export function slugFrom(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 48)
    .replace(/^-+|-+$/g, '')
}
