import type { Env } from '@kakehashi/protocol/env'
import { Refused } from '@kakehashi/protocol/refusals'
import { hashSecret, type SecretCost } from '@kakehashi/protocol/secret-hash'
import type { AgentStore } from '../store/store.ts'
import { faultOfPin, FIRST_PIN_MS_MAX, firstPin, type Role } from './rules.ts'
import { badgeKey, readStaff, type StaffMember } from './store.ts'

/** What keeping staff needs; an agent that is not enrolled yet has no more. */
export interface StaffHouse {
  store: AgentStore
  env: Env
  keys: { about: Uint8Array } | null
  /** Only tests pay less. */
  cost?: SecretCost
}

export interface StaffAsked {
  id: string
  by: string
  name?: string
  role?: Role
  /** `null` takes the badge back; omitted leaves it. */
  badge?: string | null
  /** `new`: made by the program and told once. Omitted: unchanged, or `new` for somebody new. */
  pin?: string
  disabled?: boolean
  /** The second person, who proved it. */
  approvedBy?: string
}

const FAULT = {
  form: '暗証番号は6〜12桁の数字です',
  easy: '同じ数字・続き番号・職員番号と同じ暗証番号は使えません',
} as const

function badgeOf(house: StaffHouse, badge: string): string {
  if (!house.keys) throw new Refused('NOT_ENROLLED', '名札の登録は、エージェントの登録のあとにできます')
  const key = badgeKey(house.keys, badge)
  if (key === null)
    throw new Refused(
      'REQUEST_MALFORMED',
      '名札のバーコードは12文字以上の半角英数字です（職員番号そのものは使えません）',
    )
  return key
}

/** Adds somebody or changes what is said about them; every session they have ends. Gives a made PIN, once. */
export async function keepStaff(house: StaffHouse, asked: StaffAsked): Promise<{ firstPin: string | null }> {
  const { store, env } = house
  const before = await readStaff(store.db, asked.id)
  if (!before && !asked.name)
    throw new Refused('REQUEST_MALFORMED', '新しい職員には --name（氏名）が要ります')
  const made =
    asked.pin === 'new' || (!before && asked.pin === undefined) ? firstPin((n) => env.random(n)) : null
  const chosen = made ?? asked.pin ?? null
  const fault = chosen === null ? null : faultOfPin(chosen, asked.id)
  if (fault) throw new Refused('REQUEST_MALFORMED', FAULT[fault])
  const pin = chosen === null ? null : await hashSecret(chosen, env, house.cost)
  const badge = asked.badge === undefined || asked.badge === null ? null : badgeOf(house, asked.badge)
  const role = asked.role ?? before?.role ?? 'desk'
  await store.transact(
    {
      act: before ? 'staff.changed' : 'staff.added',
      actor: asked.by,
      detail: {
        ...{ staff: asked.id, role, disabled: asked.disabled ?? before?.disabled ?? false },
        ...(asked.approvedBy === undefined ? {} : { approvedBy: asked.approvedBy }),
      },
    },
    async (tx) => {
      const holder =
        badge && (await tx.selectFrom('staff').select('id').where('badge', '=', badge).executeTakeFirst())
      if (holder && holder.id !== asked.id)
        throw new Refused('NOT_ALLOWED', 'この名札は別の職員に登録されています')
      const facts = {
        role,
        ...(asked.name === undefined ? {} : { name: asked.name }),
        ...(pin === null ? {} : { pin, pin_until: made === null ? null : env.now() + FIRST_PIN_MS_MAX }),
        ...(asked.badge === undefined ? {} : { badge }),
        ...(asked.disabled === undefined ? {} : { disabled_at: asked.disabled ? env.now() : null }),
      }
      if (before)
        await tx
          .updateTable('staff')
          .set((e) => ({ ...facts, version: e('version', '+', 1) }))
          .where('id', '=', asked.id)
          .execute()
      else
        await tx
          .insertInto('staff')
          .values({
            id: asked.id,
            name: asked.name ?? asked.id,
            pin: pin ?? '',
            pin_until: null,
            badge: null,
            disabled_at: null,
            version: 1,
            ...facts,
          })
          .execute()
    },
  )
  return { firstPin: made }
}

/** The person's own choice after the first sign-in, or later. Their other sessions end. */
export async function choosePin(house: StaffHouse, asked: { id: string; pin: string }): Promise<StaffMember> {
  const fault = faultOfPin(asked.pin, asked.id)
  if (fault) throw new Refused('REQUEST_MALFORMED', fault)
  const pin = await hashSecret(asked.pin, house.env, house.cost)
  await house.store.transact({ act: 'staff.pin-chosen', actor: asked.id }, (tx) =>
    tx
      .updateTable('staff')
      .set((e) => ({ pin, pin_until: null, version: e('version', '+', 1) }))
      .where('id', '=', asked.id)
      .execute(),
  )
  const after = await readStaff(house.store.db, asked.id)
  if (!after) throw new Refused('NOT_FOUND', 'staff')
  return after
}

/** Staff of an older installation's configuration: each once, for the desk, with the PIN they have. */
export async function takeOverStaff(
  { store }: Pick<StaffHouse, 'store'>,
  before: readonly { id: string; name: string; pinHash: string }[],
): Promise<void> {
  for (const { id, name, pinHash } of before) {
    if (await readStaff(store.db, id)) continue
    const event = { act: 'staff.taken-over', actor: 'config', detail: { staff: id, role: 'desk' } }
    await store.transact(event, (tx) =>
      tx
        .insertInto('staff')
        .values({
          id,
          name,
          role: 'desk',
          pin: pinHash,
          pin_until: null,
          badge: null,
          disabled_at: null,
          version: 1,
        })
        .execute(),
    )
  }
}
