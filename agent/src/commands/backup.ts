import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Command } from 'commander'
import { Refused } from '@kakehashi/protocol/refusals'
import { installationAt, makeDir } from '../installation.ts'
import { dropForRestore } from '../outbox/restore.ts'
import { openAgent } from './opened.ts'

const FILES = ['config.json', 'keys.json', 'hub.json'] as const

async function backup(options: { dir: string; out: string }): Promise<void> {
  const out = resolve(options.out)
  if (existsSync(out)) throw new Refused('NOT_ALLOWED', out)
  const opened = await openAgent(resolve(options.dir))
  try {
    mkdirSync(out, { recursive: true, mode: 0o700 })
    await opened.agent.context.store.transact({ act: 'backup.made', actor: 'office' }, async () => {})
  } finally {
    await opened.close()
  }
  const copy = join(out, 'agent.sqlite')
  const database = new DatabaseSync(opened.at.store)
  database.prepare('VACUUM INTO ?').run(copy)
  database.close()
  chmodSync(copy, 0o600)
  for (const name of FILES) {
    copyFileSync(join(opened.at.dir, name), join(out, name))
    chmodSync(join(out, name), 0o600)
  }
  console.log(`控えを作りました: ${out}`)
  console.log('鍵が入っています。鍵のかかる場所に保管し、この機械とは別に置いてください。')
}

function checked(from: string): void {
  const path = join(from, 'agent.sqlite')
  if (!existsSync(path)) throw new Refused('NOT_FOUND', path)
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const row = database.prepare('PRAGMA integrity_check').get() as { integrity_check: string }
    if (row.integrity_check !== 'ok') throw new Refused('DIGEST_MISMATCH', path)
  } finally {
    database.close()
  }
}

async function restore(options: { dir: string; from: string }): Promise<void> {
  const from = resolve(options.from)
  const at = installationAt(resolve(options.dir))
  if (existsSync(at.store) || existsSync(at.lock)) throw new Refused('NOT_ALLOWED', at.dir)
  checked(from)
  makeDir(at)
  try {
    for (const name of [...FILES, 'agent.sqlite']) cpSync(join(from, name), join(at.dir, name))
    const opened = await openAgent(at.dir)
    const { batches, patients } = await dropForRestore(opened.agent.context)
    await opened.close()
    console.log(`控えから戻しました。取りやめた封筒: ${batches}  読み直す患者: ${patients}`)
  } catch (error) {
    for (const name of [...FILES, 'agent.sqlite']) rmSync(join(at.dir, name), { force: true })
    throw error
  }
  console.log(
    [
      '控えの後に受けた停止の求めを取り戻すため、認定事業者に停止の一覧を求めます。届くまで何も送りません（窓口は使えます）。',
      '続けて、認定事業者が持っている記録の一覧を受け取ります。電子カルテにもう無い記録は、次の全件読み取りの後に取り消しを送ります（多すぎるときは止めて、確かめるよう求めます）。',
      '次にすること: agent run を始め、agent status で一覧が届いたことを確かめてください。',
      '控えの後の通知・保留・返送などの登録と、認定事業者に届く前に失われた停止は、紙の控えを見て登録し直してください。',
    ].join('\n'),
  )
}

export function backupCommands(program: Command): void {
  program
    .command('backup')
    .description('動いたまま控えを作る（鍵を含む。新しい場所に）')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .requiredOption('--out <dir>', '控えの場所（まだ無いこと）')
    .action(backup)
  program
    .command('restore')
    .description('控えから戻す（空の場所に。送りかけの封筒は取りやめ、患者を読み直す）')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .requiredOption('--from <dir>', '控えの場所')
    .action(restore)
}
