import type { Env } from '@kakehashi/protocol/env'
import type { Log } from '@kakehashi/protocol/log'
import type { BaseSession } from '@kakehashi/ui/sessions'
import type { Account } from '../accounts/store.ts'
import type { OpsStore } from '../vault/ops.ts'
import type { IdentityStore } from '../vault/rooms.ts'
import type { ReleaseState } from './words.ja.ts'

export type Answer = 'approve' | 'return' | 'reject'

export interface ReleaseLine {
  release: string
  title: string
  /** Account id of the author. */
  author: string
  state: ReleaseState
  at: number
}

export interface Measure {
  name: string
  value: string
  threshold: string
  passes: boolean
  how: string
}

export interface ReleaseVote {
  by: string
  at: number
  /** `null`: given, and not to be seen before both are in. */
  answer: Answer | null
  comment: string | null
}

export interface ReleaseFile extends ReleaseLine {
  purpose: string
  user: string
  /** Of what is voted on; `null` before anything was built. */
  digest: string | null
  /** `sentence`: the report in one line, said first. */
  report: { sentence: string; measures: Measure[] } | null
  votes: ReleaseVote[]
  /** `null`: the viewer may vote now. */
  mayNot: 'author' | 'role' | 'voted' | 'state' | null
}

/** What the console needs of the release slice. Every rule is decided there. */
export interface ReleaseDesk {
  list(): Promise<ReleaseLine[]>
  read(release: string, viewer: Account): Promise<ReleaseFile | null>
  /** Throws `Refused` when the vote may not be given; bound to `digest`. */
  vote(asked: {
    release: string
    by: Account
    digest: string
    answer: Answer
    comment: string
  }): Promise<void>
}

export interface ConsoleParts {
  env: Env
  log: Log
  https: boolean
  operatorName: string
  ops: OpsStore
  identity: IdentityStore
  releases: ReleaseDesk
}

export interface ConsoleSession extends BaseSession {
  account: string
  message: string | null
}

export interface ConsoleEnv {
  Variables: { session: ConsoleSession; account: Account }
}
