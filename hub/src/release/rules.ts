/** The life of one release (提供). Reviewed before it is built, checked before it is delivered, never on one voice. */
export const STATES = [
  'DRAFT',
  'SUBMITTED',
  'REVIEW',
  'APPROVED',
  'BUILT',
  'CHECKED',
  'DELIVERED',
  'RECALLED',
  'ERASED',
] as const
export type ReleaseState = (typeof STATES)[number]

export const STATE_WORDS: Record<ReleaseState, string> = {
  DRAFT: '下書き',
  SUBMITTED: '申請済み',
  REVIEW: '審査中',
  APPROVED: '承認済み',
  BUILT: '作成済み（出力確認待ち）',
  CHECKED: '出力確認済み',
  DELIVERED: '提供済み',
  RECALLED: '回収中',
  ERASED: '利用者側で消去済み',
}

export const EVENTS = [
  'amend',
  'submit',
  'assign',
  'approve',
  'return',
  'build',
  'reject-output',
  'drop-build',
  'check',
  'deliver',
  'recall',
  'user-erased',
] as const
export type ReleaseEvent = (typeof EVENTS)[number]

type Row = Record<ReleaseEvent, ReleaseState | null>

const NEVER: Row = {
  amend: null,
  submit: null,
  assign: null,
  approve: null,
  return: null,
  build: null,
  'reject-output': null,
  'drop-build': null,
  check: null,
  deliver: null,
  recall: null,
  'user-erased': null,
}

/** Every state × every event. What changes the application goes back to DRAFT: its approval was for something else. */
export const TRANSITIONS: Record<ReleaseState, Row> = {
  DRAFT: { ...NEVER, amend: 'DRAFT', submit: 'SUBMITTED' },
  SUBMITTED: { ...NEVER, amend: 'DRAFT', assign: 'REVIEW' },
  REVIEW: { ...NEVER, amend: 'DRAFT', approve: 'APPROVED', return: 'DRAFT' },
  APPROVED: { ...NEVER, amend: 'DRAFT', build: 'BUILT' },
  BUILT: {
    ...NEVER,
    amend: 'DRAFT',
    build: 'BUILT',
    'reject-output': 'APPROVED',
    'drop-build': 'APPROVED',
    check: 'CHECKED',
  },
  CHECKED: { ...NEVER, amend: 'DRAFT', build: 'BUILT', 'drop-build': 'APPROVED', deliver: 'DELIVERED' },
  DELIVERED: { ...NEVER, recall: 'RECALLED', 'user-erased': 'ERASED' },
  RECALLED: { ...NEVER, 'user-erased': 'ERASED' },
  ERASED: NEVER,
}

export function next(state: ReleaseState, event: ReleaseEvent): ReleaseState | null {
  return TRANSITIONS[state][event]
}

/** `review`: of the application; `output`: of the package that was built. */
export type Stage = 'review' | 'output'

export interface Vote {
  reviewer: string
  stage: Stage
  /** What was voted on: the digest of the application and profile, or of the package. */
  digest: string
  answer: 'approve' | 'reject'
  /** The reviewer declared an interest: the vote is kept and does not count. */
  conflict: boolean
  reason: string
  at: number
}

export const VOTES_NEEDED = 2

/** May this person vote at this stage at all? `null`: yes; otherwise why not, in Japanese. */
export function voteRefusal(
  release: { author: string; reviewers: readonly string[]; state: ReleaseState; digest: string | null },
  vote: Pick<Vote, 'reviewer' | 'stage' | 'digest'>,
  votes: readonly Vote[],
): string | null {
  if (vote.reviewer === release.author)
    return '申請者は自分の申請を審査できません。別の審査者が投票してください。'
  if (!release.reviewers.includes(vote.reviewer))
    return 'この申請の審査者に指名されていません。事務局に指名を依頼してください。'
  if (release.state !== (vote.stage === 'review' ? 'REVIEW' : 'BUILT'))
    return '今は投票を受け付けていません。申請の状態を確認してください。'
  if (vote.digest !== release.digest)
    return '内容が変わっています。画面を開き直し、今の内容を確認してから投票してください。'
  const mine = votes.some(
    (v) => v.reviewer === vote.reviewer && v.stage === vote.stage && v.digest === vote.digest,
  )
  return mine ? 'すでに投票しています。一度入れた票は変えられません。' : null
}

export type Outcome =
  | { state: 'open' }
  | { state: 'passed'; first: string; second: string }
  | { state: 'failed' }

/** Two distinct voices that are not the author's and declared no interest; one rejection is enough to fail. */
export function outcomeOf(author: string, stage: Stage, digest: string, votes: readonly Vote[]): Outcome {
  const counted = new Map<string, Vote>()
  for (const vote of votes)
    if (vote.stage === stage && vote.digest === digest && !vote.conflict && vote.reviewer !== author)
      if (!counted.has(vote.reviewer)) counted.set(vote.reviewer, vote)
  if (counted.size < VOTES_NEEDED) return { state: 'open' }
  const voices = [...counted.values()]
  if (voices.some((v) => v.answer === 'reject')) return { state: 'failed' }
  const [first, second] = voices.map((v) => v.reviewer).toSorted()
  return first === undefined || second === undefined ? { state: 'open' } : { state: 'passed', first, second }
}

/** Blind until both are in: before that everyone sees their own vote only. */
export function visibleVotes(author: string, votes: readonly Vote[], viewer: string): Vote[] {
  return votes.filter(
    (v) => v.reviewer === viewer || outcomeOf(author, v.stage, v.digest, votes).state !== 'open',
  )
}

/** The transition table as a Mermaid state diagram, so that no drawing of it can be out of date. */
export function transitionDiagram(): string {
  const lines = STATES.flatMap((state) =>
    EVENTS.flatMap((event) => {
      const to = next(state, event)
      return to === null ? [] : [`  ${state} --> ${to}: ${event}`]
    }),
  )
  return ['stateDiagram-v2', '  [*] --> DRAFT', ...lines].join('\n')
}
