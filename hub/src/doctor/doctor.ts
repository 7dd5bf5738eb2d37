import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { toBase64 } from '@kakehashi/protocol/signing'
import { verifyAuditTable } from '@kakehashi/store/audit-log'
import { readPortalConfig } from '../config.ts'
import { isExposed } from '../key-files.ts'
import type { OpenVault } from '../vault/opening.ts'
import { QUARANTINE_MS_EXPECTED } from '../vault/quarantine.ts'
import { hubStatus } from '../vault/status.ts'
import { erasuresSinceRotation, isRotating } from '../vault/store-key.ts'
import { defaultRoutes } from './route.ts'

export interface Finding {
  check: string
  level: 'ok' | 'warn' | 'fail'
  /** What is, why it matters, what to do: one Japanese sentence each where something is wrong. */
  says: string
}

const FREE_BYTES_MIN = 2 * 1024 ** 3

export async function examine(dir: string, vault: OpenVault): Promise<Finding[]> {
  return [
    keyModes(dir),
    gatewayKeys(dir, vault),
    portalKeys(dir, vault),
    routes(vault),
    disk(dir),
    memory(vault),
    await answers('gateway', 'ゲートウェイ', () => health(vault, 'gateway')),
    await answers('portal', '窓口ページ', () => health(vault, 'portal')),
    await auditTable(vault),
    await oldBackups(vault),
    await oversight(vault),
  ]
}

const ok = (check: string, says: string): Finding => ({ check, level: 'ok', says })
const warn = (check: string, says: string): Finding => ({ check, level: 'warn', says })
const fail = (check: string, says: string): Finding => ({ check, level: 'fail', says })

function keyModes(dir: string): Finding {
  const exposed = ['vault', 'gateway'].flatMap((zone) => {
    const folder = join(dir, zone, 'keys')
    return existsSync(folder)
      ? readdirSync(folder)
          .map((name) => join(folder, name))
          .filter((path) => isExposed(path))
      : []
  })
  return exposed.length === 0
    ? ok('keys', '鍵ファイルは持ち主だけが読めます。')
    : fail('keys', `ほかの利用者も読める鍵があります: ${exposed.join('、')}。chmod 600 で直してください。`)
}

/** The wall of the design: nothing of the vault's secrets may lie in the gateway's or the portal's folder. */
function gatewayKeys(dir: string, vault: OpenVault): Finding {
  const { keys } = vault.parts
  const secrets = [keys.box, keys.signing, keys.audit].map((key) => toBase64(key.secret))
  const found = ['gateway', 'portal'].flatMap((zone) =>
    textFiles(join(dir, zone)).filter((path) => {
      const text = readFileSync(path, 'utf8')
      return secrets.some((secret) => text.includes(secret))
    }),
  )
  return found.length === 0
    ? ok('zones', 'ゲートウェイと窓口のフォルダーに保管庫の鍵はありません。')
    : fail(
        'zones',
        `保管庫の鍵が外側の区画にあります: ${found.join('、')}。ただちに消し、鍵を作り直してください。`,
      )
}

/** What patients ask, sealed to another key, cannot be opened here. */
function portalKeys(dir: string, vault: OpenVault): Finding {
  const { box, formerBoxes, signing } = vault.parts.keys
  const portal = join(dir, 'portal', 'portal.json')
  if (!existsSync(portal))
    return ok(
      'portal-key',
      '窓口ページの設定はこの機械にありません。その機械の portal.json の vault を確かめてください。',
    )
  const told = readPortalConfig(dir).vault
  const sealedTo = (key: { public: Uint8Array }) => toBase64(told.box) === toBase64(key.public)
  const signed = toBase64(told.signing) === toBase64(signing.public)
  if (signed && sealedTo(box)) return ok('portal-key', '窓口ページの設定は今の保管庫の鍵です。')
  const mend =
    'vault の値を public.json の vaultKey と vaultSigningKey に合わせ、窓口ページを始め直してください。'
  return signed && formerBoxes.some((key) => sealedTo(key))
    ? warn(
        'portal-key',
        `窓口ページの設定が保管庫の前の鍵のままです。まもなく開けられなくなります。${portal} の${mend}`,
      )
    : fail(
        'portal-key',
        `窓口ページの設定が保管庫の鍵と違います。患者さんの求めを開けられません。${portal} の${mend}`,
      )
}

function textFiles(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(key|json|pem|txt)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
}

function routes(vault: OpenVault): Finding {
  const devices = defaultRoutes()
  if (devices.length === 0) return ok('route', 'インターネットへの既定経路はありません。')
  const says = `インターネットへの既定経路があります（${devices.join('、')}）。本番では起動を断ります。`
  return vault.config.profile === 'production' ? fail('route', says) : warn('route', says)
}

function disk(dir: string): Finding {
  const { bavail, bsize } = statfsSync(dir)
  const free = bavail * bsize
  return free >= FREE_BYTES_MIN
    ? ok('disk', `空き容量 ${Math.floor(free / 1024 ** 3)} GiB`)
    : fail(
        'disk',
        `空き容量が少なくなっています（${Math.floor(free / 1024 ** 2)} MiB）。増やすまで受け入れは止まります。`,
      )
}

function memory(vault: OpenVault): Finding {
  return existsSync(vault.content.memory)
    ? ok('memory', '開いた記録を置く記憶域（tmpfs）があります。')
    : fail('memory', `${vault.content.memory} がありません。開いた記録をディスクに置かないために必要です。`)
}

async function health(vault: OpenVault, which: 'gateway' | 'portal'): Promise<boolean> {
  const caller = which === 'gateway' ? vault.parts.gateway : vault.parts.portal
  if (!caller) return true
  const answer = await caller({ method: 'GET', path: '/v1/health', headers: {}, body: new Uint8Array(0) })
  return answer.status === 200
}

async function answers(check: string, name: string, ask: () => Promise<boolean>): Promise<Finding> {
  const up = await ask().catch(() => false)
  return up
    ? ok(check, `${name}は応答しています。`)
    : warn(check, `${name}が応答しません。動いているか、vault.json の宛先が正しいかを確かめてください。`)
}

async function auditTable(vault: OpenVault): Promise<Finding> {
  const report = await verifyAuditTable(vault.ops)
  return report.ok
    ? ok('audit', `監査記録は正しくつながっています（${report.size}件）。`)
    : fail(
        'audit',
        `監査記録に${report.problems.length}件の問題があります。hub verify --audit で確かめてください。`,
      )
}

/** What is erased here must not come back from a backup with today's key. */
async function oldBackups(vault: OpenVault): Promise<Finding> {
  if (isRotating(vault.folder))
    return fail(
      'rotation',
      '鍵の更新が途中で止まっています。三つの区画を止め、hub rotate-keys --store --yes --by <職員> --second <職員> をもう一度実行してください。',
    )
  const erased = await erasuresSinceRotation(vault.ops)
  return erased === 0
    ? ok('rotation', '消した方の鍵を古いバックアップから取り出すことはできません。')
    : warn(
        'rotation',
        `前回の鍵の更新の後に削除が${erased}件ありました。古いバックアップを持つ人は、その方の鍵をまだ取り出せます。三つの区画を止めて hub rotate-keys --store --yes --by <職員> --second <職員> を実行し、hub backup を取り直してください。`,
      )
}

async function oversight(vault: OpenVault): Promise<Finding> {
  const { incidents, silent, erasures, stops, quarantine } = await hubStatus(vault.ops)
  if (incidents.severity1 > 0)
    return fail(
      'incidents',
      `重大度1の事故が${incidents.severity1}件あります。hub incidents で確かめてください。`,
    )
  const old =
    quarantine.oldestAt !== null && vault.parts.env.now() - quarantine.oldestAt > QUARANTINE_MS_EXPECTED
  const waits = [
    ...(old ? ['二週間を過ぎた隔離中の荷がある（hub quarantine で調べ、clear-quarantine で消す）'] : []),
    ...(silent > 0 ? [`一日以上連絡のない装置 ${silent}`] : []),
    ...(erasures.open > 0 ? [`終わっていない削除 ${erasures.open}`] : []),
    ...(stops.undelivered > 0 ? [`医療機関の確認待ちの停止 ${stops.undelivered}`] : []),
  ]
  return waits.length === 0
    ? ok('incidents', '未処理の事柄はありません。')
    : warn('incidents', `${waits.join('、')}。`)
}
