import {
  facilityId,
  facilityOf,
  stopId,
  type FacilityId,
  type PatientKey,
  type StopId,
} from '@kakehashi/protocol/ids'
import type { AskedPerson } from '@kakehashi/protocol/messages'
import { Refused } from '@kakehashi/protocol/refusals'
import type { StopFact, Track } from '@kakehashi/protocol/rules/state'
import type { OpsTx } from '../vault/ops.ts'
import type { VaultParts } from '../vault/parts.ts'
import type { IdentityStore } from '../vault/rooms.ts'
import { slices } from './charts.ts'
import { askErasure } from './erasure.ts'
import { chartsNamed, namesAsked } from './named.ts'
import { enterStop, isForgotten, passOn, type StopAsk } from './stop.ts'

export const CHANNELS = ['phone', 'post', 'web', 'desk'] as const
export type Channel = (typeof CHANNELS)[number]

export const IDENTITY_CHECKS = ['none', 'call-back', 'document', 'seen', 'portal'] as const
export type IdentityCheck = (typeof IDENTITY_CHECKS)[number]

/** In force because a chart matched, and shown to nobody at the desk before they have looked at its ticket. */
export const UNSEEN = 'unseen'

export interface NamedAsk {
  person: AskedPerson
  requester: StopFact['requester']
  channel: Channel
  /** `null`: unknown or all, then every hospital is told. */
  facilities: FacilityId[] | null
  /** `null`: both, which is what an unclear request means. */
  tracks: Track[] | null
  identityCheck: IdentityCheck
  erasureWanted: boolean
  receipt?: string | null
  askedAt?: number
  /** Where the request has a number of its own: taken once, however often it comes. */
  stop?: StopId
  /** The hospital at whose counter it was asked for the others: it has a stop of its own. */
  asking?: { agent: string; facility: string }
  by: string
}

export type IntakeParts = Pick<VaultParts, 'env' | 'ops' | 'keys' | 'stops' | 'saids'> &
  Partial<Pick<VaultParts, 'erasures'>>

/**
 * A stop by name, in force from the commit, whoever asks and whether or not the person is known here. Nothing is erased
 * before somebody was verified. The answer says nothing of what was found.
 */
export async function takeNamedStop(
  parts: IntakeParts,
  identity: IdentityStore,
  asked: NamedAsk,
): Promise<StopId> {
  const stop = asked.stop ?? stopId(parts.env.id())
  if (asked.stop === undefined || !isForgotten(parts, stop)) await keepSaid(identity, stop, asked.person)
  const chartsMeant = async () =>
    (await chartsNamed(identity.db, asked.person, asked.facilities)).filter(
      (chart) => facilityOf(chart) !== asked.asking?.facility,
    )
  const patients = await chartsMeant()
  const verified = asked.identityCheck !== 'none'
  await parts.ops.transact(
    (fresh: boolean) =>
      fresh
        ? {
            act: 'stop.asked',
            actor: asked.by,
            detail: { stop, origin: 'operator', channel: asked.channel, erasure: asked.erasureWanted },
          }
        : null,
    async (tx) => {
      const fresh = await enterStop(tx, parts as VaultParts, {
        ...askOf(parts, asked, stop),
        patients,
        standing: verified ? 'confirmed' : 'provisional',
      })
      if (fresh) await keepIntake(tx, asked, stop, verified ? parts.env.now() : null)
      return fresh
    },
  )
  // A batch may have been admitted between the look and the commit; from the commit on the gate knows the name.
  const now = await chartsMeant()
  if (now.some((one) => !patients.includes(one)))
    await parts.ops.bookkeep((tx) =>
      enterStop(tx, parts as VaultParts, {
        ...askOf(parts, asked, stop),
        patients: now,
        standing: verified ? 'confirmed' : 'provisional',
      }),
    )
  return stop
}

function askOf(parts: IntakeParts, asked: NamedAsk, stop: StopId): Omit<StopAsk, 'patients' | 'standing'> {
  const { person, facilities, erasureWanted } = asked
  return {
    stop,
    origin: asked.channel === 'web' ? 'portal' : 'operator',
    agent: asked.asking?.agent ?? null,
    handles: [],
    tracks: asked.tracks,
    operators: null,
    requester: asked.requester,
    askedAt: asked.askedAt ?? parts.env.now(),
    erasureAsked: false,
    receipt: asked.receipt ?? null,
    named: { person, facilities, erasureWanted, names: namesAsked(parts.keys.tombstone, person, facilities) },
  }
}

export async function keepIntake(
  tx: OpsTx,
  asked: Pick<NamedAsk, 'channel' | 'by' | 'facilities' | 'erasureWanted'> & {
    identityCheck: IdentityCheck | typeof UNSEEN
  },
  stop: StopId,
  verifiedAt: number | null,
): Promise<void> {
  await tx
    .insertInto('stop_intake')
    .values({
      stop,
      channel: asked.channel,
      taken_by: asked.by,
      facilities: asked.facilities === null ? null : JSON.stringify(asked.facilities),
      erasure_wanted: asked.erasureWanted ? 1 : 0,
      identity_check: asked.identityCheck,
      verified_by: verifiedAt === null ? null : asked.by,
      verified_at: verifiedAt,
      erasure: null,
    })
    .onConflict((c) => c.doNothing())
    .execute()
}

/** Who somebody is lies in the identity store; the operations store knows only the number. */
export async function keepSaid(identity: IdentityStore, about: string, said: object): Promise<void> {
  await identity.bookkeep((tx) =>
    tx
      .insertInto('identity_asked')
      .values({ about, said: JSON.stringify(said), at: identity.env.now() })
      .onConflict((c) => c.doNothing())
      .execute(),
  )
}

export async function forgetSaid(identity: IdentityStore, about: readonly string[]): Promise<number> {
  return identity.bookkeep(async (tx) => {
    let count = 0
    for (const part of slices(about)) {
      const gone = await tx.deleteFrom('identity_asked').where('about', 'in', part).executeTakeFirst()
      count += Number(gone.numDeletedRows)
    }
    return count
  })
}

export async function readSaid<T>(identity: IdentityStore, about: string): Promise<T | null> {
  const row = await identity.db
    .selectFrom('identity_asked')
    .select('said')
    .where('about', '=', about)
    .executeTakeFirst()
  return row ? (JSON.parse(row.said) as T) : null
}

/** Whoever asked is who they said they were; every hospital hears it, and what is already said stays said. */
export async function verifyStop(
  parts: IntakeParts,
  identity: IdentityStore,
  asked: { stop: string; identityCheck: Exclude<IdentityCheck, 'none'>; by: string },
): Promise<void> {
  const person = await readSaid<AskedPerson>(identity, asked.stop)
  await parts.ops.transact(
    { act: 'stop.verified', actor: asked.by, detail: { stop: asked.stop, how: asked.identityCheck } },
    async (tx) => {
      const row = await tx.selectFrom('stop').selectAll().where('stop', '=', asked.stop).executeTakeFirst()
      const intake = await tx
        .selectFrom('stop_intake')
        .selectAll()
        .where('stop', '=', asked.stop)
        .executeTakeFirst()
      if (!row || !intake || !person) throw new Refused('NOT_FOUND', 'stop')
      if (row.standing !== 'provisional') throw new Refused('NOT_ALLOWED', 'standing')
      await tx.updateTable('stop').set({ standing: 'confirmed' }).where('stop', '=', asked.stop).execute()
      await tx
        .updateTable('stop_intake')
        .set({ identity_check: asked.identityCheck, verified_by: asked.by, verified_at: parts.env.now() })
        .where('stop', '=', asked.stop)
        .execute()
      const charts = await tx
        .selectFrom('stop_chart')
        .select('patient')
        .where('stop', '=', asked.stop)
        .execute()
      await tx.deleteFrom('stop_delivery').where('stop', '=', asked.stop).execute()
      await passOn(
        tx,
        parts as VaultParts,
        {
          stop: stopId(asked.stop),
          origin: row.origin,
          agent: row.agent,
          handles: [],
          patients: [],
          tracks: row.tracks === null ? null : JSON.parse(row.tracks),
          operators: null,
          requester: row.requester as StopFact['requester'],
          standing: 'confirmed',
          askedAt: Number(row.asked_at),
          erasureAsked: false,
          receipt: row.receipt,
          named: {
            person,
            facilities: facilitiesOf(intake.facilities),
            erasureWanted: Number(intake.erasure_wanted) === 1,
            names: [],
          },
        },
        charts.map((one) => one.patient as PatientKey),
      )
    },
  )
}

export function facilitiesOf(stored: string | null): FacilityId[] | null {
  return stored === null ? null : (JSON.parse(stored) as string[]).map((one) => facilityId(one))
}

/**
 * What was asked is erased: only of charts chosen by hand among those of the stop, only after the person was verified,
 * and by somebody else than who verified (LAW R46).
 */
export async function eraseAsAsked(
  parts: IntakeParts,
  asked: { stop: string; patients: PatientKey[]; by: string },
): Promise<void> {
  await parts.ops.transact(
    {
      act: 'erasure.asked',
      actor: asked.by,
      detail: { stop: asked.stop, charts: asked.patients.length },
    },
    async (tx) => {
      const intake = await tx
        .selectFrom('stop_intake')
        .selectAll()
        .where('stop', '=', asked.stop)
        .executeTakeFirst()
      const rows = await tx
        .selectFrom('stop_chart')
        .select('patient')
        .where('stop', '=', asked.stop)
        .execute()
      const own = new Set(rows.map((row) => row.patient))
      if (!intake || asked.patients.length === 0 || !asked.patients.every((one) => own.has(one)))
        throw new Refused('NOT_FOUND', 'patient')
      const { verified_by, erasure_wanted, erasure } = intake
      if (
        verified_by === null ||
        verified_by === asked.by ||
        Number(erasure_wanted) !== 1 ||
        erasure !== null
      )
        throw new Refused('NOT_ALLOWED', 'erasure')
      const made = await askErasure(tx, parts as VaultParts, {
        patients: asked.patients,
        by: asked.by,
        stop: asked.stop,
      })
      await tx.updateTable('stop_intake').set({ erasure: made }).where('stop', '=', asked.stop).execute()
    },
  )
}
