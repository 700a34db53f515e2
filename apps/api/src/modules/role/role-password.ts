import type { SecretBox } from '../../shared/secret-box.ts'

/** Bound to project and role, not to the branch: branches hand their roles on to their children. */
const contextOf = (projectId: string, roleName: string) => `project:${projectId}:role:${roleName}`

export function sealRolePassword(secrets: SecretBox, projectId: string, roleName: string, password: string): string {
  return secrets.seal(password, contextOf(projectId, roleName))
}

export function openRolePassword(secrets: SecretBox, projectId: string, roleName: string, sealed: string): string {
  return secrets.open(sealed, contextOf(projectId, roleName))
}
