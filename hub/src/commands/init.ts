import type { Command } from 'commander'
import { initHub } from '../init.ts'
import type { HubContext } from './context.ts'

interface Options {
  operator: string
  name: string
  address: string
  phone?: string
  gatewayPort: string
  portalPort: string
  consolePort: string
  production?: boolean
  postgres?: string
}

export function registerInitCommand(program: Command, context: HubContext): void {
  program
    .command('init')
    .description('三つの区画（ゲートウェイ・窓口・保管庫）の鍵と設定を作る')
    .requiredOption('--operator <id>', '認定事業者の番号')
    .requiredOption('--name <name>', '認定事業者の名称')
    .requiredOption('--address <address>', '認定事業者の住所')
    .option('--phone <number>', '問い合わせ先の電話番号')
    .option('--gateway-port <port>', 'ゲートウェイの待ち受け番号', '7443')
    .option('--portal-port <port>', '窓口ページの待ち受け番号', '7080')
    .option('--console-port <port>', 'コンソールの待ち受け番号', '7090')
    .option('--production', '本番用（起動時に既定経路の有無を検査する）')
    .option('--postgres <url>', 'SQLiteの代わりに使うPostgreSQLの接続先')
    .action((options: Options) => {
      const made = initHub(
        {
          dir: context.dir(),
          operator: options.operator,
          name: options.name,
          address: options.address,
          phone: options.phone ?? null,
          gatewayPort: Number(options.gatewayPort),
          portalPort: Number(options.portalPort),
          consolePort: Number(options.consolePort),
          profile: options.production ? 'production' : 'trial',
          postgres: options.postgres ?? null,
        },
        context.env,
      )
      context.tell(
        [
          `作成しました: ${context.dir()}`,
          ...made.created.map((name) => `  ${name}`),
          '保管庫の鍵は vault/keys にだけあります。ゲートウェイと窓口の機械へは、それぞれのフォルダーだけを置いてください。',
          '次にすること: kakehashi-hub enroll --facility <医療機関の番号>',
        ].join('\n'),
        { dir: context.dir(), ...made },
      )
    })
}
