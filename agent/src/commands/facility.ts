import { writeFileSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { entityId, facilityId, filingId } from '@kakehashi/protocol/ids'
import { noticeText } from '@kakehashi/protocol/notice-text'
import { Refused } from '@kakehashi/protocol/refusals'
import type { FacilityState, FilingFact } from '@kakehashi/protocol/rules/state'
import { sha256Hex } from '@kakehashi/protocol/signing'
import { newestVersion, publishedNotices } from '../register/notice-published.ts'
import { facilityStateOf } from '../register/read.ts'
import { contentOf, exampleFile, readDeclaration, type Declaration } from './facility-file.ts'
import { using, type Opened } from './opened.ts'

interface Planned {
  sentence: string
  act: () => Promise<void>
}

/** Only what differs from the register is recorded: running the same file twice changes nothing. */
async function plan(opened: Opened, asked: Declaration, by: string): Promise<Planned[]> {
  const { agent, at, config } = opened
  const { context, register } = agent
  const state = await facilityStateOf(context.store.db, context.facility)
  const planned: Planned[] = []
  const entity = {
    entity: entityId(asked.entity.id),
    name: asked.entity.name,
    address: asked.entity.address,
    representative: asked.entity.representative,
  }
  if (JSON.stringify(state?.entity) !== JSON.stringify(entity))
    planned.push({
      sentence: '法人の名称・住所・代表者を記録',
      act: () => register.recordEntity({ entity, by }),
    })
  const settings = { waitDays: asked.waitDays, deathPolicy: asked.deathPolicy, closedDays: asked.closedDays }
  if (state?.waitDays !== asked.waitDays || state.deathPolicy !== asked.deathPolicy)
    planned.push({
      sentence: `待機期間を${asked.waitDays}日とする`,
      act: () => register.setFacility({ ...settings, endedOn: state?.endedOn ?? null, by }),
    })
  const content = contentOf(asked, config.track, context.hub.operator)
  const newest = (await publishedNotices(context.store.db, config.track)).at(-1)
  const contentText = noticeText(content)
  const same = newest?.template.hash === sha256Hex(contentText)
  const version = (await newestVersion(context.store.db, config.track)) + (same ? 0 : 1)
  if (!same) {
    const { noticeChangesOn: changesOn, asNewNotice } = asked
    planned.push({
      sentence: `通知書 第${version}版を公開（以後この文面は変わりません）`,
      act: async () => {
        const { template } = await register.publishNotice({
          content,
          by,
          asNewNotice,
          ...(changesOn === undefined ? {} : { changesOn }),
        })
        keepText(config.noticeTexts ?? join(at.dir, 'notices'), template.hash, contentText)
      },
    })
  }
  planned.push(...filingStep(opened, asked, { state, version, by }))
  return planned
}

function filingStep(
  { agent, config }: Opened,
  { filing }: Declaration,
  { state, version, by }: { state: FacilityState | null; version: number; by: string },
): Planned[] {
  if (!filing) return []
  if (state?.filings.some((f) => f.filing === filing.id && f.templateVersion >= version)) return []
  const fact: FilingFact = {
    filing: filingId(filing.id),
    track: config.track,
    templateVersion: version,
    acceptedOn: filing.acceptedOn,
    endedOn: null,
    ...(filing.facilities === undefined ? {} : { facilities: filing.facilities.map((id) => facilityId(id)) }),
  }
  const { filedOn, receipt } = filing
  const more = {
    ...(filedOn === undefined ? {} : { filedOn }),
    ...(receipt === undefined ? {} : { receipt }),
  }
  return [
    {
      sentence: `届出 ${filing.id}（${filing.acceptedOn} 受理）を記録`,
      act: () => agent.register.acceptFiling({ filing: fact, ...more, by }),
    },
  ]
}

function keepText(folder: string, hash: string, content: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, `${hash}.txt`), content, { mode: 0o600, flush: true })
}

async function declare(
  file: string | undefined,
  options: { dir: string; by?: string; example?: boolean; dryRun?: boolean; json?: boolean },
): Promise<void> {
  if (options.example) {
    console.log(exampleFile())
    return
  }
  const { by } = options
  if (file === undefined || !by) throw new Refused('REQUEST_MALFORMED', '<file> と --by <id> が要ります')
  const asked = readDeclaration(resolve(file))
  await using(options.dir, async (opened) => {
    const planned = await plan(opened, asked, by)
    if (!options.dryRun) for (const step of planned) await step.act()
    const steps = planned.map((p) => p.sentence)
    if (options.json) console.log(JSON.stringify({ dryRun: options.dryRun ?? false, steps }))
    else if (steps.length === 0) console.log('登録内容は変わりません。')
    else console.log([options.dryRun ? '次のことを行います:' : '記録しました:', ...steps].join('\n  '))
  })
}

export function facilityCommand(program: Command): void {
  program
    .command('facility [file]')
    .description('法人・通知書・届出をファイルから登録する（同じファイルを二度登録しても変わらない）')
    .option('--by <id>', '登録する職員のID')
    .option('--example', 'ファイルの見本を出す')
    .option('--dry-run', '何を記録するかだけを表示する')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .option('--json', '結果をJSONで出す')
    .action(declare)
}
