import type { Command } from 'commander'
import { BOX_OVERLAP_MS, rotateBoxKey } from '../vault/box-key.ts'
import { rotateStoreKey } from '../vault/store-key.ts'
import type { HubContext } from './context.ts'
import { OFFICERS, proven, withSecrets, type ProofOptions } from './proof.ts'
import { zonesAnswering } from './upkeep.ts'

interface RotateOptions extends ProofOptions {
  by: string
  second: string
  box?: boolean
  store?: boolean
}

export function registerKeyCommands(program: Command, context: HubContext): void {
  withSecrets(
    program
      .command('rotate-keys')
      .description('鍵を新しくする（三つの区画を止めてから。二名の合言葉と確認の番号が要る）'),
  )
    .requiredOption('--by <staff>', '一人目の職員の番号')
    .requiredOption('--second <staff>', '二人目の職員の番号')
    .option('--box', '封の鍵だけを新しくする。古い鍵は重なりの期間だけ残す')
    .option('--store', '保管の鍵だけを新しくする。これより前のバックアップは開けなくなる')
    .requiredOption('--yes', '保管の鍵を新しくすると古いバックアップが開けなくなることを承知した')
    .action(async (options: RotateOptions) => {
      const up = await zonesAnswering(context.dir())
      if (up.length > 0)
        context.fail(
          `動いている区画があります: ${up.join('、')}。\n三つの区画を止めてから、もう一度実行してください。`,
        )
      const both = !options.box && !options.store
      const done = await context.withVault(async (vault) => {
        await proven(context, vault, options, OFFICERS, [options.by, options.second])
        return {
          store: options.store || both ? await rotateStoreKey(vault) : null,
          box: options.box || both ? await rotateBoxKey(vault, context.dir()) : null,
        }
      })
      context.tell([...storeLines(done.store), ...boxLines(done.box)].join('\n'), done)
    })
}

function storeLines(done: { keys: number } | null): string[] {
  if (!done) return []
  return [
    `保管の鍵を新しくしました（包み直した鍵 ${done.keys}本）。古い鍵は消しました。`,
    'これより前のバックアップは、消した方の記録も含めて、もう誰にも開けません。',
    '次にすること: 三つの区画を始め、hub backup で新しいバックアップを取り、古いものを捨ててください。鍵フォルダー vault/keys の控えも取り直してください。',
  ]
}

function boxLines(done: { publicKey: string; changed: string[] } | null): string[] {
  if (!done) return []
  return [
    `封の鍵を新しくしました。古い鍵は ${BOX_OVERLAP_MS / 86_400_000}日のあいだ開封だけに使い、その後に消します。装置には次の巡回から毎日知らせます。`,
    done.changed.length > 0
      ? `公開鍵を書き換えた設定: ${done.changed.join('、')}`
      : `ゲートウェイと窓口が別の機械にあるときは、その設定の vault.box を次の値に替えてください: ${done.publicKey}`,
  ]
}
