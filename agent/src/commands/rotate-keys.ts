import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { systemEnv } from '@kakehashi/protocol/env'
import { facilityId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { tokyoDate } from '@kakehashi/protocol/rules/calendar'
import { enrol } from '../enrol.ts'
import { keepHub, keepKeys, writePrivate } from '../installation.ts'
import { fingerprint, newAgentKeys, readKeys, writeKeys, type AgentKeys } from '../keys.ts'
import { moveToNewKeys, readyForNewKeys } from '../outbox/rekey.ts'
import { realWire } from '../uplink/wire.ts'
import { openAgent, type Opened } from './opened.ts'
import { KEEPERS } from '../staff/rules.ts'
import { proven, withPins, type ProofOptions } from './proof.ts'

/** Kept until they are in force: an attempt whose answer was lost goes on with the same keys and the same code. */
function nextKeys({ at, agent }: Opened): AgentKeys {
  const path = join(at.dir, 'keys.next.json')
  if (existsSync(path)) return readKeys(readFileSync(path, 'utf8'))
  // the hash by which our audit log names a person stays: the log goes on
  const keys = { ...newAgentKeys(systemEnv()), about: agent.context.keys.about }
  writePrivate(path, writeKeys(keys))
  return keys
}

async function rotate(options: ProofOptions & { dir: string; code: string; by: string }): Promise<void> {
  const opened = await openAgent(resolve(options.dir))
  const { at, agent, config } = opened
  try {
    await proven(opened, options, KEEPERS, [options.by])
    if (existsSync(at.lock)) throw new Refused('NOT_ALLOWED', '動いています。agent run を止めてから')
    await readyForNewKeys(agent.context)
    const keys = nextKeys(opened)
    const former = agent.context.keys.agent
    const wire = realWire(config.hub, { caFile: config.caFile })
    const hub = await enrol(wire, keys, facilityId(config.facility), options.code)
    await moveToNewKeys({ ...agent.context, keys, hub })
    keepHub(at, hub)
    keepKeys(at, keys)
    rmSync(join(at.dir, 'keys.next.json'))
    // signed by the former key: kept beside, and written anew under the new one
    if (existsSync(at.audit)) renameSync(at.audit, `${at.audit}.${former}.${tokyoDate(systemEnv().now())}`)
    console.log(
      [
        `新しい鍵で登録しました。エージェント: ${keys.agent}`,
        `鍵の指紋: ${fingerprint(keys)}`,
        '指紋を認定事業者に電話で読み上げ、先方の表示と同じであることを確かめてください。',
        `次にすること: 古いエージェント ${former} の失効（hub retire）を認定事業者に頼み、agent run を始めてください。停止の一覧が届くまで何も送りません。`,
      ].join('\n'),
    )
  } finally {
    await opened.close()
  }
}

export function rotateKeysCommand(program: Command): void {
  withPins(
    program
      .command('rotate-keys')
      .description(
        'この機械の鍵を作り直す（新しい登録コードと、職員の暗証番号が要る。agent run を止め、送付中のものがないときに）',
      ),
  )
    .requiredOption('--by <id>', '作り直す職員のID（情報システム担当か個人情報担当）')
    .requiredOption('--code <code>', '認定事業者から受け取った新しい登録コード')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .action(rotate)
}
