import { closeSync, openSync, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { openAgent } from './opened.ts'

const PAGE = 1000

async function exportLedger(options: { dir: string; out: string }): Promise<void> {
  const opened = await openAgent(resolve(options.dir))
  const file = openSync(resolve(options.out), 'wx', 0o600)
  let lines = 0
  const write = (value: unknown): void => {
    writeSync(file, `${JSON.stringify(value)}\n`)
    lines += 1
  }
  try {
    const { db } = opened.agent.context.store
    for (let after = 0; ;) {
      const rows = await db
        .selectFrom('register_event')
        .select(['seq', 'body'])
        .where('seq', '>', after)
        .orderBy('seq')
        .limit(PAGE)
        .execute()
      for (const row of rows) write({ ledger: 'register', seq: row.seq, ...JSON.parse(row.body) })
      after = rows.at(-1)?.seq ?? after
      if (rows.length < PAGE) break
    }
    for (const row of await db.selectFrom('slip').selectAll().orderBy('opened_at').execute())
      write({ ledger: 'art-53', ...row, body: JSON.parse(row.body) })
    for (const row of await db.selectFrom('provision').selectAll().orderBy('provided_at').execute()) {
      const patients = await db
        .selectFrom('provision_patient')
        .select(['patient', 'items'])
        .where('batch', '=', row.batch)
        .orderBy('patient')
        .execute()
      write({
        ledger: 'art-54',
        ...row,
        patients: patients.map((p) => ({ patient: p.patient, items: JSON.parse(p.items) })),
      })
    }
    await opened.agent.context.store.transact(
      { act: 'ledger.exported', actor: 'office', detail: { lines } },
      async () => {},
    )
    console.log(
      `${lines} 行を書き出しました: ${resolve(options.out)}（個人情報です。保管に注意してください）`,
    )
  } finally {
    closeSync(file)
    await opened.close()
  }
}

export function exportCommand(program: Command): void {
  program
    .command('export')
    .description('登録簿・書面の控え（第53条）・提供記録（第54条）をNDJSONで書き出す')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .requiredOption('--out <file>', '新しいファイルの場所')
    .action(exportLedger)
}
