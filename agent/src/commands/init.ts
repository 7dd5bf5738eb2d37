import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { systemEnv } from '@kakehashi/protocol/env'
import { agentId, facilityId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { readConfig } from '../config.ts'
import { enrol } from '../enrol.ts'
import {
  installationAt,
  keepHub,
  keepKeys,
  makeDir,
  readHub,
  readInstalledKeys,
  writePrivate,
} from '../installation.ts'
import { fingerprint, newAgentKeys } from '../keys.ts'
import { rootsIn } from '../sources/ssmix2/roots.ts'
import { openAgentStore } from '../store/store.ts'
import { realWire } from '../uplink/wire.ts'

interface InitOptions {
  hub: string
  code: string
  facility: string
  name?: string
  agent?: string
  dir: string
  source: string[]
  caFile?: string
  json?: boolean
}

async function init(options: InitOptions): Promise<void> {
  const env = systemEnv()
  const at = installationAt(resolve(options.dir))
  if (readHub(at)) throw new Refused('NOT_ALLOWED', 'この場所は登録済みです')
  const sources = await Promise.all(
    options.source.map(async (folder, index) => ({
      id: index === 0 ? 'ehr' : `ehr-${index + 1}`,
      ...(await sourceAt(resolve(folder))),
    })),
  )
  const written = {
    hub: options.hub,
    facility: options.facility,
    ...(options.name === undefined ? {} : { facilityName: options.name }),
    sources,
    ...(options.caFile === undefined ? {} : { caFile: resolve(options.caFile) }),
  }
  const text = `${JSON.stringify(written, null, 2)}\n`
  const config = readConfig(text)
  const wire = realWire(config.hub, { caFile: config.caFile })
  makeDir(at)
  // keys made by an attempt whose answer was lost are kept: the same code with the same keys is answered again
  const keys = readInstalledKeys(at) ?? newAgentKeys(env, ...(options.agent ? [agentId(options.agent)] : []))
  keepKeys(at, keys)
  const hub = await enrol(wire, keys, facilityId(config.facility), options.code)
  if (!existsSync(at.config)) writePrivate(at.config, text)
  const store = await openAgentStore(at.store, env)
  await store.close()
  keepHub(at, hub)
  const said = { agent: keys.agent, facility: config.facility, fingerprint: fingerprint(keys), dir: at.dir }
  if (options.json) console.log(JSON.stringify(said))
  else
    console.log(
      [
        `登録しました。認定事業者: ${hub.operatorName}`,
        `エージェント: ${said.agent}  医療機関: ${said.facility}`,
        `鍵の指紋: ${said.fingerprint}`,
        '指紋を認定事業者に電話で読み上げ、先方の表示と同じであることを確かめてください。',
        `設定: ${at.config}`,
      ].join('\n'),
    )
}

/** A folder's kind is told by its layout: an SS-MIX2 storage, else a place for bulk exports. */
async function sourceAt(folder: string): Promise<{ kind: 'ssmix2' | 'fhir-folder'; folder: string }> {
  const roots = await rootsIn(folder).catch(() => [])
  return { kind: roots.length > 0 ? 'ssmix2' : 'fhir-folder', folder }
}

export function initCommand(program: Command): void {
  program
    .command('init')
    .description('一回限りの登録コードで認定事業者に登録する（鍵はこの機械で作り、外に出さない）')
    .requiredOption('--hub <url>', 'ゲートウェイのアドレス（https://…）')
    .requiredOption('--code <code>', '認定事業者から受け取った登録コード')
    .requiredOption('--facility <id>', '医療機関のID')
    .option('--name <name>', '医療機関の名称')
    .option('--agent <id>', 'エージェントのID（省略時は自動）')
    .option('--source <folder...>', 'FHIR一括出力（NDJSON）の置き場所、またはSS-MIX2標準化ストレージ', [])
    .option('--ca-file <pem>', 'ゲートウェイの証明書を発行した認証局（PEM）')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .option('--json', '結果をJSONで出す')
    .action(init)
}
