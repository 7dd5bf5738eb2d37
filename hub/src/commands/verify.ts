import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { fromBase64 } from '@kakehashi/protocol/signing'
import { verifyAuditLog } from '@kakehashi/store/audit-log'
import { verifyPackageCommand } from '../release/commands.ts'
import { verifyCertificate } from '../requests/certificate.ts'
import type { HubContext } from './context.ts'

const FAULTS = {
  form: '証明書の形式が正しくありません。',
  signature: '証明書の署名が一致しません。内容が変えられたか、別の事業者のものです。',
  leaf: '監査記録の葉がこの証明書を指していません。',
  checkpoint: 'チェックポイントの署名が正しくありません。',
  inclusion: '監査記録に含まれていることを確かめられません。',
} as const

/** Needs only public keys and the files. Other slices add what else can be verified to the returned command. */
export function registerVerifyCommand(program: Command, context: HubContext): Command {
  return program
    .command('verify')
    .description('公開鍵とファイルだけで、監査記録や削除の証明書を確かめる')
    .option('--public <file>', '事業者の公開鍵ファイル（public.json）。省略時はハブのフォルダーのもの')
    .option('--audit <folder>', '監査記録のフォルダー。省略時はハブのフォルダーのもの')
    .option('--certificate <file>', '削除の証明書')
    .option('--package <folder>', '提供されたデータのフォルダー')
    .action((options: { public?: string; audit?: string; certificate?: string; package?: string }) => {
      const open = readPublic(context, options.public ?? join(context.dir(), 'public.json'))
      if (options.package !== undefined)
        return verifyPackageCommand(context, options.package, open.vaultSigningKey)
      if (options.certificate !== undefined) return certificate(context, options.certificate, open)
      return audit(context, options.audit ?? join(context.dir(), 'vault', 'audit'), open)
    })
}

interface Public {
  auditOrigin: string
  auditKey: Uint8Array
  vaultSigningKey: Uint8Array
}

function readPublic(context: HubContext, path: string): Public {
  if (!existsSync(path))
    return context.fail(
      `公開鍵ファイルがありません: ${path}\n事業者から public.json を受け取り、--public で指定してください。`,
    )
  const { auditOrigin, auditKey, vaultSigningKey } = JSON.parse(readFileSync(path, 'utf8')) as Record<
    string,
    string
  >
  return {
    auditOrigin: auditOrigin ?? '',
    auditKey: fromBase64(auditKey ?? ''),
    vaultSigningKey: fromBase64(vaultSigningKey ?? ''),
  }
}

function certificate(context: HubContext, path: string, open: Public): void {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return context.fail(`証明書が読めません: ${path}`)
  }
  const answer = verifyCertificate(value, open.auditKey)
  if (typeof answer === 'string') return context.fail(FAULTS[answer])
  return context.tell(
    `正しい証明書です。${answer.charts.length}件のカルテ、${answer.places.reduce((n, place) => n + place.count, 0)}件を消し、鍵${answer.keysDestroyed.length}個を壊しました。`,
    { valid: true, core: answer },
  )
}

function audit(context: HubContext, folder: string, open: Public): void {
  const report = verifyAuditLog(folder, open.auditOrigin, open.auditKey)
  if (report.problems.length > 0)
    return context.fail(
      `監査記録に問題があります: ${report.problems.map((problem) => JSON.stringify(problem)).join('、')}`,
    )
  return context.tell(`監査記録は正しくつながっています（${report.size}件）。`, { valid: true, ...report })
}
