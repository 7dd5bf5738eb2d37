/** What a member of the operator's staff may be; nobody reviews a release of their own, whatever their roles. */
export const ROLES = ['author', 'reviewer', 'auditor', 'privacy', 'desk'] as const
export type Role = (typeof ROLES)[number]

export function isRole(text: string): text is Role {
  return ROLES.some((role) => role === text)
}

export const PASSPHRASE_LENGTH_MIN = 12

export type AccountFault = 'id' | 'name' | 'roles' | 'passphrase'

/** Every fault of a new account at once. */
export function accountFaults(asked: {
  account: string
  name: string
  roles: readonly string[]
  passphrase: string
}): AccountFault[] {
  const faults: AccountFault[] = []
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(asked.account)) faults.push('id')
  if (asked.name.trim() === '' || asked.name.length > 80) faults.push('name')
  if (asked.roles.length === 0 || !asked.roles.every((role) => isRole(role))) faults.push('roles')
  if (asked.passphrase.length < PASSPHRASE_LENGTH_MIN) faults.push('passphrase')
  return faults
}
