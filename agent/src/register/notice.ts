import type { Instant } from '@kakehashi/protocol/env'
import type { NoticeGiven } from '@kakehashi/protocol/events'
import type { NoticeLanguage } from '@kakehashi/protocol/notice-content'
import {
  noticeId,
  type FilingId,
  type NoticeId,
  type OperatorId,
  type PatientKey,
  type StopHandle,
} from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { addDays, birthdayAt, startOfDay, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type {
  FacilityState,
  NoticeMethod,
  PatientState,
  RecipientRole,
  TemplateFact,
  Track,
} from '@kakehashi/protocol/rules/state'
import { handleOf, newStopToken } from '@kakehashi/protocol/stop-handle'
import { aboutPatient, type AgentContext } from '../context.ts'
import type { AgentTx } from '../store/store.ts'
import {
  facilityStateOf,
  languagesOf,
  latestSeen,
  noticeEvent,
  patientStateOf,
  type RegisterReader,
} from './read.ts'
import { refuseUnsureClock } from './clock.ts'
import { appendOpening } from './opening.ts'
import { dateNotice, type Dating } from './rules.ts'

export interface NoticeAsked {
  patient: PatientKey
  by: string
  track?: Track
  /** Both at one child's visit: one hand-over, two notices. `other`: kept account of, never counts. */
  recipients?: readonly (RecipientRole | 'other')[]
  recipientState?: 'able' | 'unable'
  /** Who took it and as what, when it was not the person. */
  recipientName?: string
  relation?: string
  method?: NoticeMethod
  /** The language of the paper: one in which this version was published. Omitted: Japanese. */
  language?: NoticeLanguage
  /** Omitted: now; a letter: its assumed arrival. */
  deliveredAt?: Instant
  evidence?: string
  device?: string
  /** The notice, void now, in whose place this one is recorded. */
  correctionOf?: NoticeId
  /** Second person for a date before today. */
  approvedBy?: string
  /** Omitted: the newest published text of the track. */
  templateVersion?: number
  operators?: OperatorId[]
  /** Print a stop token on the paper; only its handle is kept. */
  withToken?: boolean
  /** Of the token on a sheet that was printed in advance. */
  handle?: StopHandle
}

export interface Noticed {
  notices: NoticeId[]
  deliveredAt: Instant
  /** False: the earlier date waits for a second person; until then it is dated now. */
  datedAsAsked: boolean
  /** For printing, once. Nobody can read it out of the register again. */
  token: string | null
}

function newestTemplate(templates: readonly TemplateFact[], track: Track, version?: number): TemplateFact {
  const fit = templates
    .filter((t) => t.track === track && (version === undefined || t.version === version))
    .toSorted((a, b) => b.version - a.version)[0]
  if (!fit) throw new Refused('NOT_FOUND', 'template')
  return fit
}

/** Mail counts from its assumed arrival, everything else from now. */
function arrival(context: AgentContext, method: NoticeMethod, now: Instant): Instant {
  if (method !== 'post') return now
  return startOfDay(addDays(tokyoDate(now), context.rulesAt(now).postArrivalDays))
}

function ageOn(birthDate: string | null, today: string): number | null {
  if (birthDate === null || birthDate > today) return null
  let age = Number(today.slice(0, 4)) - Number(birthDate.slice(0, 4))
  if (birthdayAt(birthDate, age) > today) age -= 1
  return age
}

/** The filing in force that covers this version, if the ministers have one already. */
function filingFor(facility: FacilityState, template: TemplateFact, today: string): FilingId | null {
  const fit = facility.filings.find(
    (f) =>
      f.track === template.track &&
      f.templateVersion >= template.version &&
      f.acceptedOn <= today &&
      (f.endedOn === null || today < f.endedOn),
  )
  return fit?.filing ?? null
}

/** Everything LAW §1.7 asks to be kept of one notice, the same for each of its recipients. */
function commonsOf(
  asked: NoticeAsked,
  found: {
    facility: FacilityState
    template: TemplateFact
    state: PatientState
    dating: Dating
    now: Instant
  },
): Omit<NoticeGiven, 'event' | 'notice' | 'recipient'> {
  const { facility, template, state, dating, now } = found
  const method = asked.method ?? 'handed'
  const today = tokyoDate(now)
  return {
    type: 'notice-given',
    recordedAt: now,
    by: asked.by,
    patient: asked.patient,
    track: template.track,
    templateVersion: template.version,
    templateHash: template.hash,
    operators: asked.operators ?? template.operators,
    entity: facility.entity.entity,
    filing: filingFor(facility, template, today),
    language: asked.language ?? 'ja',
    recipientState: asked.recipientState ?? 'able',
    ageAtNotice: ageOn(state.birthDate, tokyoDate(dating.deliveredAt)),
    capacityAtNotice: state.capacity,
    method,
    issuedAt: Math.min(now, dating.deliveredAt),
    deliveredAt: dating.deliveredAt,
    ...(dating.asAsked || asked.deliveredAt === undefined ? {} : { saidDeliveredAt: asked.deliveredAt }),
    confirmed: method !== 'kiosk',
    ...(asked.recipientName === undefined ? {} : { recipientName: asked.recipientName }),
    ...(asked.relation === undefined ? {} : { relation: asked.relation }),
    ...(asked.evidence === undefined ? {} : { evidence: asked.evidence }),
    ...(asked.device === undefined ? {} : { device: asked.device }),
    ...(asked.correctionOf === undefined ? {} : { correctionOf: asked.correctionOf }),
    ...(dating.approved && asked.approvedBy ? { backdateApprovedBy: asked.approvedBy } : {}),
  }
}

/** A notice was handed over, printed by a kiosk (counts after confirmation) or mailed (dated to its arrival). */
export async function recordNotice(context: AgentContext, asked: NoticeAsked): Promise<Noticed> {
  await refuseUnsureClock(context)
  // nor may the little that is let pass date the hand-over into the past
  const now = Math.max(context.env.now(), await latestSeen(context.store.db))
  const method = asked.method ?? 'handed'
  const dating = dateNotice(
    { ...asked, method, deliveredAt: asked.deliveredAt ?? arrival(context, method, now) },
    now,
  )
  if (!dating) throw new Refused('REQUEST_MALFORMED', 'deliveredAt')
  const token = asked.withToken ? newStopToken(context.env) : null
  return context.store.transact(
    {
      act: 'notice.recorded',
      actor: asked.by,
      about: aboutPatient(context, asked.patient),
      detail: { method, backdated: dating.approved },
    },
    (tx) => giveNotice(tx, context, asked, { dating, token, now }),
  )
}

async function giveNotice(
  tx: AgentTx,
  context: AgentContext,
  asked: NoticeAsked,
  { dating, token, now }: { dating: Dating; token: string | null; now: Instant },
): Promise<Noticed> {
  const facility = await facilityStateOf(tx, context.facility)
  if (!facility) throw new Refused('NOT_FOUND', 'template')
  const template = newestTemplate(facility.templates, asked.track ?? context.track, asked.templateVersion)
  if (dating.approved && dating.deliveredAt < template.publishedAt)
    throw new Refused('REQUEST_MALFORMED', 'deliveredAt')
  if (asked.language && !(await languagesOf(tx, template)).includes(asked.language))
    throw new Refused('NOT_FOUND', 'language')
  const state = await patientStateOf(tx, asked.patient)
  const commons = commonsOf(asked, { facility, template, state, dating, now })
  const handle = token === null ? asked.handle : handleOf(token)
  const notices: NoticeId[] = []
  for (const recipient of asked.recipients ?? ['person']) {
    const notice = noticeId(context.env.id())
    await appendOpening(tx, {
      ...commons,
      event: context.env.id(),
      notice,
      recipient,
      ...(handle === undefined ? {} : { handle }),
    })
    notices.push(notice)
    if (commons.saidDeliveredAt !== undefined)
      await tx.insertInto('backdate_asked').values({ notice, asked_at: now }).execute()
  }
  return { notices, deliveredAt: dating.deliveredAt, datedAsAsked: dating.asAsked, token }
}

/** The second person, who saw the evidence, lets an earlier date count that was entered before (LAW trap 15). */
export async function approveBackdate(
  context: AgentContext,
  asked: { notice: NoticeId; evidence: string; by: string },
): Promise<{ deliveredAt: Instant }> {
  await refuseUnsureClock(context)
  const given = await backdateAsked(context.store.db, asked.notice)
  const deliveredAt = given.saidDeliveredAt
  if (given.by === asked.by || asked.evidence.trim() === '') throw new Refused('NOT_ALLOWED', 'approvedBy')
  const facility = await facilityStateOf(context.store.db, context.facility)
  const template = newestTemplate(facility?.templates ?? [], given.track, given.templateVersion)
  if (deliveredAt < template.publishedAt) throw new Refused('REQUEST_MALFORMED', 'deliveredAt')
  await context.store.transact(
    { act: 'notice.backdated', actor: asked.by, about: aboutPatient(context, given.patient) },
    async (tx) => {
      await answerBackdate(tx, asked.notice)
      await appendOpening(tx, {
        type: 'notice-backdated',
        event: context.env.id(),
        recordedAt: context.env.now(),
        patient: given.patient,
        deliveredAt,
        ...asked,
      })
    },
  )
  return { deliveredAt }
}

/** Not approved: the notice goes on counting from when it was recorded, and nobody is asked again. */
export async function refuseBackdate(
  context: AgentContext,
  asked: { notice: NoticeId; by: string },
): Promise<void> {
  const given = await backdateAsked(context.store.db, asked.notice)
  await context.store.transact(
    { act: 'notice.backdate-refused', actor: asked.by, about: aboutPatient(context, given.patient) },
    (tx) => answerBackdate(tx, asked.notice),
  )
}

/** One answer alone: who comes second is told that nobody asks any more. */
async function answerBackdate(tx: AgentTx, notice: NoticeId): Promise<void> {
  const answered = await tx.deleteFrom('backdate_asked').where('notice', '=', notice).executeTakeFirst()
  if (answered.numDeletedRows === 0n) throw new Refused('NOT_FOUND', 'notice')
}

async function backdateAsked(
  db: RegisterReader,
  notice: NoticeId,
): Promise<NoticeGiven & { saidDeliveredAt: Instant }> {
  const asked = await db
    .selectFrom('backdate_asked')
    .select('notice')
    .where('notice', '=', notice)
    .executeTakeFirst()
  const given = asked ? await noticeEvent(db, notice) : null
  if (given?.saidDeliveredAt === undefined) throw new Refused('NOT_FOUND', 'notice')
  return { ...given, saidDeliveredAt: given.saidDeliveredAt }
}

/** What is still there to be dated earlier: not what came back or was void meanwhile. */
const waitingBackdates = (db: RegisterReader) =>
  db
    .selectFrom('backdate_asked as b')
    .innerJoin('register_event as e', 'e.subject', 'b.notice')
    .where('e.type', '=', 'notice-given')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('register_event as v')
            .select('v.seq')
            .whereRef('v.subject', '=', 'b.notice')
            .where('v.type', 'in', ['notice-voided', 'notice-returned']),
        ),
      ),
    )

export async function countBackdates(db: RegisterReader): Promise<number> {
  const row = await waitingBackdates(db)
    .select((e) => e.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow()
  return row.n
}

/** Earlier dates that were entered and that nobody approved yet: until then they count from their recording. */
export async function pendingBackdates(
  db: RegisterReader,
  page: { offset: number; limit: number } = { offset: 0, limit: 50 },
): Promise<NoticeGiven[]> {
  const rows = await waitingBackdates(db)
    .select('e.body')
    .orderBy('b.asked_at')
    .orderBy('b.notice')
    .offset(page.offset)
    .limit(page.limit)
    .execute()
  return rows.map((row) => JSON.parse(row.body) as NoticeGiven)
}

/** Staff saw the paper of a kiosk in the patient's hand (LAW trap 8). */
export async function confirmNotice(
  context: AgentContext,
  asked: { notice: NoticeId; by: string },
): Promise<void> {
  await refuseUnsureClock(context)
  const given = await noticeEvent(context.store.db, asked.notice)
  if (!given) throw new Refused('NOT_FOUND', 'notice')
  await context.store.transact(
    { act: 'notice.confirmed', actor: asked.by, about: aboutPatient(context, given.patient) },
    (tx) =>
      appendOpening(tx, {
        type: 'notice-confirmed',
        event: context.env.id(),
        recordedAt: context.env.now(),
        by: asked.by,
        patient: given.patient,
        notice: asked.notice,
      }),
  )
}
