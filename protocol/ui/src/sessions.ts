/** What every session of signed-in staff has. */
export interface BaseSession {
  id: string
  startedAt: number
  seenAt: number
  /** Proof that a form was made for this session. */
  csrf: string
}

interface Source {
  now(): number
  random(n: number): Uint8Array
}

export interface SessionLimits {
  idleMs: number
  totalMs: number
  most: number
}

/** Sessions live in memory only: a restart signs everybody out. */
export class Sessions<S extends BaseSession> {
  readonly #source: Source
  readonly #limits: SessionLimits
  readonly #sessions = new Map<string, S>()
  constructor(source: Source, limits: SessionLimits) {
    this.#source = source
    this.#limits = limits
  }

  /** 192 random bits, fit for an address or a cookie. */
  secret(): string {
    return Buffer.from(this.#source.random(24)).toString('base64url')
  }

  start(own: Omit<S, keyof BaseSession>): S {
    const now = this.#source.now()
    for (const [id, session] of this.#sessions) if (this.#ended(session, now)) this.#sessions.delete(id)
    dropOldest(this.#sessions, this.#limits.most)
    const base: BaseSession = { id: this.secret(), startedAt: now, seenAt: now, csrf: this.secret() }
    const session = { ...base, ...own } as S
    this.#sessions.set(session.id, session)
    return session
  }

  /** The session, and from now on its full idle time again; `null` when there is none or it ended. */
  read(id: string | undefined): S | null {
    const session = id === undefined ? undefined : this.#sessions.get(id)
    if (!session) return null
    const now = this.#source.now()
    if (this.#ended(session, now)) {
      this.#sessions.delete(session.id)
      return null
    }
    session.seenAt = now
    return session
  }

  end(session: S): void {
    this.#sessions.delete(session.id)
  }

  #ended(session: S, now: number): boolean {
    return now - session.seenAt >= this.#limits.idleMs || now - session.startedAt >= this.#limits.totalMs
  }
}

/** Makes room for one more. */
export function dropOldest(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size < most) return
    map.delete(key)
  }
}
