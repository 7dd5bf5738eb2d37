import type { Env, Instant } from '@kakehashi/protocol/env'
import type { PatientKey } from '@kakehashi/protocol/ids'
import type { StaffMember } from './staff.ts'

export const IDLE_MS_MAX = 2 * 60_000
export const SESSION_MS_MAX = 12 * 3_600_000
const SESSIONS_MAX = 200
const HANDLES_MAX = 200
const PAPERS_MAX = 20

/** A notice paper whose token is known only until the paper was printed. */
export interface Paper {
  patient: PatientKey
  token: string
  deliveredAt: Instant
}

export interface Session {
  id: string
  staff: StaffMember
  startedAt: Instant
  seenAt: Instant
  /** Proof that a form was made for this session. */
  csrf: string
  /** Patients this session has found: random handles stand for them in addresses. */
  handles: Map<string, PatientKey>
  papers: Map<string, Paper>
  /** Whose page this session opened: each is one leaf of the audit log. */
  opened: Set<PatientKey>
  found: { patients: PatientKey[]; more: boolean } | null
  message: Message | null
}

export interface Message {
  kind: 'done' | 'warning'
  text: string
  more?: string
}

/** Sessions live in memory only: a restart signs everybody out. */
export class Sessions {
  readonly #env: Env
  readonly #sessions = new Map<string, Session>()
  constructor(env: Env) {
    this.#env = env
  }

  #secret(): string {
    return Buffer.from(this.#env.random(24)).toString('base64url')
  }

  start(staff: StaffMember): Session {
    const now = this.#env.now()
    for (const [id, session] of this.#sessions) if (this.#ended(session, now)) this.#sessions.delete(id)
    dropOldest(this.#sessions, SESSIONS_MAX)
    const session: Session = {
      id: this.#secret(),
      staff,
      startedAt: now,
      seenAt: now,
      csrf: this.#secret(),
      handles: new Map(),
      papers: new Map(),
      opened: new Set(),
      found: null,
      message: null,
    }
    this.#sessions.set(session.id, session)
    return session
  }

  /** The session and, from now on, two more minutes of it; `null` when there is none or it ended. */
  read(id: string | undefined): Session | null {
    const session = id === undefined ? undefined : this.#sessions.get(id)
    if (!session) return null
    const now = this.#env.now()
    if (this.#ended(session, now)) {
      this.#sessions.delete(session.id)
      return null
    }
    session.seenAt = now
    return session
  }

  end(session: Session): void {
    this.#sessions.delete(session.id)
  }

  handleOf(session: Session, patient: PatientKey): string {
    for (const [handle, known] of session.handles) if (known === patient) return handle
    dropOldest(session.handles, HANDLES_MAX)
    const handle = this.#secret()
    session.handles.set(handle, patient)
    return handle
  }

  keepPaper(session: Session, paper: Paper): string {
    dropOldest(session.papers, PAPERS_MAX)
    const id = this.#secret()
    session.papers.set(id, paper)
    return id
  }

  #ended(session: Session, now: Instant): boolean {
    return now - session.seenAt >= IDLE_MS_MAX || now - session.startedAt >= SESSION_MS_MAX
  }
}

function dropOldest(map: Map<string, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size < max) return
    map.delete(key)
  }
}
