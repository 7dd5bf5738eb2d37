import type { Command } from 'commander'
import { publishLog, verifyAuditLog, verifyAuditTable } from '@kakehashi/store/audit-log'
import { auditOrigin } from '../audit/checkpoint.ts'
import { verifyOutbox } from '../outbox/verify.ts'
import { EXIT } from './failure.ts'
import { using } from './opened.ts'

async function verify(options: { dir: string; json?: boolean }): Promise<void> {
  await using(options.dir, async (opened) => {
    const { context } = opened.agent
    const origin = auditOrigin(context)
    const table = await verifyAuditTable(context.store)
    await publishLog(context.store, opened.at.audit, origin, context.keys.signing)
    const files = verifyAuditLog(opened.at.audit, origin, context.keys.signing.public)
    const outbox = await verifyOutbox(context)
    const ok = table.ok && files.ok && outbox.damaged.length === 0
    if (!ok) process.exitCode = EXIT.wrong
    if (options.json) return console.log(JSON.stringify({ ok, audit: table, files, outbox }))
    console.log(
      `監査記録: ${table.size} 件 ${table.ok ? '正しい' : '誤りあり'}（根 ${table.root.slice(0, 16)}…）`,
    )
    console.log(`監査記録のファイル: ${files.size} 件 ${files.ok ? '正しい' : '誤りあり'}`)
    for (const p of [...table.problems, ...files.problems]) console.log(`  ${p.seq ?? '全体'}: ${p.what}`)
    console.log(`送付待ちの封筒: ${outbox.batches} 件 壊れたもの ${outbox.damaged.length} 件`)
    console.log(ok ? 'すべて正しいことを確かめました。' : '誤りがあります。認定事業者に連絡してください。')
  })
}

export function verifyCommand(program: Command): void {
  program
    .command('verify')
    .description('監査記録と送付待ちの封筒が書き換えられていないことを確かめる')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .option('--json', 'JSONで出す')
    .action(verify)
}
