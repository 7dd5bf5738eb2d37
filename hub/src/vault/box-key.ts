import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Instant } from '@kakehashi/protocol/env'
import { fromBase64, keyIdOf, newBoxKey, toBase64, type BoxKey } from '@kakehashi/protocol/signing'
import { destroyFile, KeyFileBad, readPair, writePair, writeSecretFile } from '../key-files.ts'
import type { OpenVault } from './opening.ts'
import type { OpsTables, OpsTx } from './ops.ts'
import { post } from './outbox.ts'
import type { VaultParts } from './parts.ts'

/** A former sealing key still opens what was sealed to it for this long: longer than any batch waits. */
export const BOX_OVERLAP_MS = 90 * 24 * 3600 * 1000

interface Former {
  path: string
  key: BoxKey
  retiredAt: Instant
}

const keysOf = (folder: string): string => join(folder, 'keys')

/** Former sealing keys whose time is not over, the newest first. */
export function formerBoxes(folder: string, now: Instant): Former[] {
  return allFormer(folder).filter((one) => now - one.retiredAt < BOX_OVERLAP_MS)
}

function allFormer(folder: string): Former[] {
  return readdirSync(keysOf(folder))
    .filter((name) => /^box\.former-[0-9a-f]{16}\.key$/.test(name))
    .map((name) => readFormer(join(keysOf(folder), name)))
    .toSorted((a, b) => b.retiredAt - a.retiredAt)
}

function readFormer(path: string): Former {
  try {
    const { public: open, secret, retiredAt } = JSON.parse(readFileSync(path, 'utf8'))
    const bytes = fromBase64(open)
    if (Number.isSafeInteger(retiredAt))
      return { path, key: { id: keyIdOf(bytes), public: bytes, secret: fromBase64(secret) }, retiredAt }
  } catch {
    throw new KeyFileBad(`鍵ファイルが読めません: ${path}`)
  }
  throw new KeyFileBad(`鍵ファイルの形式が正しくありません: ${path}`)
}

/** Keys whose overlap is over are destroyed; what is still sealed to them can be opened by nobody. */
export function dropFormerBoxes(folder: string, now: Instant): number {
  const over = allFormer(folder).filter((one) => now - one.retiredAt >= BOX_OVERLAP_MS)
  for (const { path } of over) destroyFile(path)
  return over.length
}

/**
 * A new sealing key. The former one opens for {@link BOX_OVERLAP_MS} more; agents are told daily, the first time in the
 * next round. Gateway and portal tell the new public half at enrolment and on the stop page: their settings are changed
 * here when they lie beside the vault.
 */
export async function rotateBoxKey(
  vault: OpenVault,
  dir: string,
): Promise<{ publicKey: string; changed: string[] }> {
  const { ops, folder, parts } = vault
  const { env } = ops
  const path = join(keysOf(folder), 'box.key')
  for (const name of readdirSync(keysOf(folder)))
    if (name.startsWith('box.next-')) destroyFile(join(keysOf(folder), name))
  const next = newBoxKey(env)
  const former = readPair(path)
  const formerPath = join(keysOf(folder), `box.former-${former.id}.key`)
  if (!existsSync(formerPath))
    writeSecretFile(
      formerPath,
      JSON.stringify({
        public: toBase64(former.public),
        secret: toBase64(former.secret),
        retiredAt: env.now(),
      }),
    )
  const half = join(keysOf(folder), `box.next-${next.id}.key`)
  writePair(half, next)
  renameSync(half, path)
  await ops.transact(
    { act: 'keys.box-rotated', actor: 'office', detail: { from: former.id, to: next.id } },
    // tomorrow's word to every agent is said in the next round
    async (tx) => void (await tx.deleteFrom('cursor').where('name', '=', 'status-said').execute()),
  )
  parts.keys.formerBoxes = [parts.keys.box, ...parts.keys.formerBoxes]
  parts.keys.box = next
  parts.keys.boxFrom = env.now()
  const publicKey = toBase64(next.public)
  return { publicKey, changed: changeSettings(dir, toBase64(former.public), publicKey) }
}

/** Replaces the public half where it is written. */
function changeSettings(dir: string, from: string, to: string): string[] {
  const names = [join('gateway', 'gateway.json'), join('portal', 'portal.json'), 'public.json']
  return names.filter((name) => {
    const path = join(dir, name)
    if (!existsSync(path)) return false
    const text = readFileSync(path, 'utf8')
    if (!text.includes(from)) return false
    writeFileSync(`${path}.new`, text.replaceAll(from, to), { mode: 0o600 })
    renameSync(`${path}.new`, path)
    return true
  })
}

/** Said again and again while the former key still opens, so that no agent stays with it. */
export async function postBoxKey(tx: OpsTx, parts: VaultParts, agent: OpsTables['agent']): Promise<void> {
  const { box, boxFrom } = parts.keys
  if (boxFrom === undefined) return
  await post(tx, parts, agent, { type: 'key-changed', vaultKey: toBase64(box.public), from: boxFrom })
}
