import type { Role } from '../accounts/rules.ts'

/** Which roles may open which part of the console. */
export const ROOMS = {
  home: ['author', 'reviewer', 'auditor', 'privacy', 'desk'],
  releases: ['author', 'reviewer', 'auditor'],
  erasures: ['privacy', 'auditor'],
  linkage: ['privacy', 'auditor'],
  agents: ['author', 'reviewer', 'auditor', 'privacy', 'desk'],
  /** Taking stops and questions, and seeing who asked. */
  desk: ['desk', 'privacy'],
  /** How far each stop has come, without names. */
  stops: ['desk', 'privacy', 'auditor'],
  tickets: ['desk', 'privacy', 'auditor'],
  /** Erasing what was asked: another person than who verified. */
  erasing: ['privacy'],
} as const satisfies Record<string, readonly Role[]>
export type Room = keyof typeof ROOMS

export function mayEnter(roles: readonly Role[], room: Room): boolean {
  const allowed: readonly Role[] = ROOMS[room]
  return roles.some((role) => allowed.includes(role))
}

const SILENT_MS = 24 * 3_600_000

export function agentStanding(
  agent: { enrolledAt: number; lastHeardAt: number | null; retiredAt: number | null },
  now: number,
): 'heard' | 'silent' | 'retired' {
  if (agent.retiredAt !== null) return 'retired'
  return now - (agent.lastHeardAt ?? agent.enrolledAt) > SILENT_MS ? 'silent' : 'heard'
}
