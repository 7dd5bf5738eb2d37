import type { Track } from '@kakehashi/protocol/rules/state'
import type { Env, Instant } from '@kakehashi/protocol/env'
import type { NoticeLanguage } from '@kakehashi/protocol/notice-content'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { dropOldest, Sessions, type BaseSession } from '@kakehashi/ui/sessions'
import type { StaffMember } from '../staff/store.ts'

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
  language: NoticeLanguage
  track: Track
}

export interface Session extends BaseSession {
  /** As they were at sign-in: a later change of theirs ends the session. */
  staff: Pick<StaffMember, 'id' | 'name' | 'role' | 'version'>
  /** Signed in with a PIN that the program made: nothing else opens before they chose their own. */
  mustChoosePin: boolean
  /** Patients this session has found: random handles stand for them in addresses. */
  handles: Map<string, PatientKey>
  papers: Map<string, Paper>
  /** Whose page this session opened: each is one leaf of the audit log. */
  opened: Set<PatientKey>
  /** Chosen from a list with namesakes and not yet asked for the birth date. */
  unasked: Set<PatientKey>
  found: { patients: PatientKey[]; more: boolean } | null
  message: Message | null
}

export interface Message {
  kind: 'done' | 'warning'
  text: string
  more?: string
}

export class DeskSessions extends Sessions<Session> {
  constructor(env: Env) {
    super(env, { idleMs: IDLE_MS_MAX, totalMs: SESSION_MS_MAX, most: SESSIONS_MAX })
  }

  open({ id, name, role, version, pinUntil }: StaffMember, by: 'pin' | 'badge'): Session {
    return this.start({
      staff: { id, name, role, version },
      mustChoosePin: by === 'pin' && pinUntil !== null,
      handles: new Map(),
      papers: new Map(),
      opened: new Set(),
      unasked: new Set(),
      found: null,
      message: null,
    })
  }

  handleOf(session: Session, patient: PatientKey): string {
    for (const [handle, known] of session.handles)
      if (known === patient) return this.#keep(session, handle, patient)
    dropOldest(session.handles, HANDLES_MAX)
    return this.#keep(session, this.secret(), patient)
  }

  /** Shown or used now: the last to be forgotten. */
  #keep(session: Session, handle: string, patient: PatientKey): string {
    session.handles.delete(handle)
    session.handles.set(handle, patient)
    return handle
  }

  keepPaper(session: Session, paper: Paper): string {
    dropOldest(session.papers, PAPERS_MAX)
    const id = this.secret()
    session.papers.set(id, paper)
    return id
  }
}
