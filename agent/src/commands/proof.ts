import type { Command } from 'commander'
import { Refused } from '@kakehashi/protocol/refusals'
import { NoSecret, readSecrets } from '@kakehashi/protocol/secret-input'
import type { AgentContext } from '../context.ts'
import { attemptsAt, provePin } from '../staff/proof.ts'
import { ROLE_WORDS, type Role } from '../staff/rules.ts'
import { readStaff } from '../staff/store.ts'
import type { Opened } from './opened.ts'

/** Who may stand behind an act that takes two people: whoever knows the patients, or the rules. */
export const TWO_PEOPLE: readonly Role[] = ['desk', 'privacy']
export const OFFICERS: readonly Role[] = ['privacy']

export interface ProofOptions {
  pinStdin?: boolean
}

/** The option of every command that asks for PINs. */
export function withPins(command: Command): Command {
  return command.option(
    '--pin-stdin',
    '職員の暗証番号（窓口と同じもの）を、端末で尋ねる代わりに標準入力から1行に1人分ずつ読む',
  )
}

/** Asks everybody named for their PIN, and goes on only when each is who they say. */
export async function proven(
  { agent }: Pick<Opened, 'agent'>,
  options: ProofOptions,
  roles: readonly Role[],
  ids: readonly string[],
): Promise<void> {
  refuseOneForTwo(ids)
  await provePins(agent.context, roles, ids, await readPins(ids, options))
}

function refuseOneForTwo(ids: readonly string[]): void {
  if (new Set(ids).size < ids.length) throw new Refused('NOT_ALLOWED', '二人は別の職員でなければなりません')
}

/**
 * Everybody named knows their PIN, the one of the counter; wrong ones are counted together with the counter's, and a
 * first PIN that was not yet changed proves nobody.
 */
export async function provePins(
  context: Pick<AgentContext, 'store' | 'env'> & { keys: { about: Uint8Array } },
  roles: readonly Role[],
  ids: readonly string[],
  pins: readonly string[],
): Promise<void> {
  refuseOneForTwo(ids)
  const { store, env } = context
  const attempts = attemptsAt(context)
  for (const [at, id] of ids.entries()) {
    const read = (name: string) => readStaff(store.db, name)
    const proof = await provePin({ attempts, now: env.now(), read }, id, pins[at] ?? '')
    if (proof.is === 'wait')
      throw new Refused('NOT_ALLOWED', `まちがいが続いたため、${Math.ceil(proof.ms / 1000)}秒お待ちください`)
    const may = proof.is === 'proven' && proof.member.pinUntil === null && roles.includes(proof.member.role)
    const act = may ? 'staff.proven' : 'staff.refused'
    await store.transact({ act, actor: may ? id : 'command', detail: { by: 'pin' } }, async () => {})
    if (!may) throw new Refused('NOT_ALLOWED', whyNot(at, roles))
  }
}

function whyNot(at: number, roles: readonly Role[]): string {
  const words = roles.map((role) => ROLE_WORDS[role]).join('、')
  return `${at + 1}人目の職員の番号か暗証番号が違うか、この操作のできる役割（${words}）ではないか、最初の暗証番号をまだ変えていません`
}

export async function readPins(ids: readonly string[], options: ProofOptions): Promise<string[]> {
  try {
    return await readSecrets(
      ids.map((id) => `${id} の暗証番号: `),
      options.pinStdin === true,
    )
  } catch (error) {
    if (!(error instanceof NoSecret)) throw error
    throw new Refused(
      'NOT_ALLOWED',
      '職員の暗証番号が要ります。端末で実行するか、--pin-stdin を付けて標準入力から渡してください',
    )
  }
}
