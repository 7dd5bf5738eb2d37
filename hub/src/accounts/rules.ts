/** What a member of the operator's staff may be; nobody reviews a release of their own, whatever their roles. */
export const ROLES = ['author', 'reviewer', 'auditor', 'privacy', 'desk'] as const
export type Role = (typeof ROLES)[number]

export function isRole(text: string): text is Role {
  return ROLES.some((role) => role === text)
}

/** Who may stand behind what takes two people, and keeps the accounts. */
export const OFFICERS: readonly Role[] = ['privacy', 'auditor']

/** Whoever is disabled counts for so long: nobody gets to act alone by disabling the other. */
const COUNTS_ON_MS = 30 * 86_400_000

type Known = { account: string; roles: readonly Role[]; disabled: boolean; disabledAt: number | null }

const isOfficer = ({ roles }: { roles: readonly Role[] }) => roles.some((role) => OFFICERS.includes(role))

/**
 * How many officers must prove that they want an account made, renewed (`makes`) or disabled: none while there is no
 * officer (the first set-up), two for whatever makes somebody who can be the second of two, once there are two; else one.
 */
export function officersNeeded(accounts: readonly Known[], makes: boolean, now: number): 0 | 1 | 2 {
  const officers = accounts.filter(isOfficer)
  if (!officers.some((one) => !one.disabled)) return 0
  const counted = officers.filter((one) => one.disabledAt === null || now - one.disabledAt < COUNTS_ON_MS)
  return makes && counted.length > 1 ? 2 : 1
}

/** Nobody would be left to keep the accounts: anybody at the machine could begin anew. */
export function isLastOfficer(accounts: readonly Known[], account: string): boolean {
  const officers = accounts.filter((one) => isOfficer(one) && !one.disabled)
  return officers.length === 1 && officers[0]?.account === account
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
