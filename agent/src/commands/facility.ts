import { readFileSync, writeFileSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { entityId, filingId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { isLocalDate } from '@kakehashi/protocol/rules/calendar'
import { ITEM_CLASSES, type FilingFact, type TemplateFact } from '@kakehashi/protocol/rules/state'
import { sha256Hex } from '@kakehashi/protocol/signing'
import { z } from 'zod'
import { facilityStateOf } from '../register/read.ts'
import { openAgent, type Opened } from './opened.ts'

const day = z.string().refine(isLocalDate, '「2026-04-01」のように書いてください')
const text = z.string().min(1, '空です')

/** What the privacy officer writes down once, and again whenever the notice or the filing changes. */
const declaration = z.strictObject({
  entity: z.strictObject({ id: text, name: text, address: text, representative: text }),
  notice: z.strictObject({
    text: text.max(20_000),
    items: z.array(z.enum(ITEM_CLASSES)).min(1, '提供する項目がありません'),
    saysOneMonth: z.boolean().default(false),
  }),
  filing: z.strictObject({ id: text, acceptedOn: day }).nullable().default(null),
  waitDays: z.number().int().min(30, '30日より短くできません').max(3650).default(30),
  deathPolicy: z.enum(['hold', 'allow']).default('hold'),
  closedDays: z.array(day).default([]),
})
type Declaration = z.infer<typeof declaration>

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
  const own = (state?.templates ?? []).filter((t) => t.track === config.track)
  const hash = sha256Hex(asked.notice.text)
  const newest = own.at(-1)
  const version = newest?.hash === hash ? newest.version : (newest?.version ?? 0) + 1
  if (newest?.hash !== hash) {
    const template: TemplateFact = {
      version,
      track: config.track,
      hash,
      items: asked.notice.items,
      operators: [context.hub.operator],
      publishedAt: context.env.now(),
      saysOneMonth: asked.notice.saysOneMonth,
    }
    planned.push({
      sentence: `通知書 第${version}版を公開（以後この文面は変わりません）`,
      act: async () => {
        keepText(config.noticeTexts ?? join(at.dir, 'notices'), hash, asked.notice.text)
        await register.publishTemplate({ template, by })
      },
    })
  }
  const { filing } = asked
  if (filing && !state?.filings.some((f) => f.filing === filing.id && f.templateVersion >= version)) {
    const fact: FilingFact = {
      filing: filingId(filing.id),
      track: config.track,
      templateVersion: version,
      acceptedOn: filing.acceptedOn,
      endedOn: null,
    }
    planned.push({
      sentence: `届出 ${filing.id}（${filing.acceptedOn} 受理）を記録`,
      act: () => register.acceptFiling({ filing: fact, by }),
    })
  }
  return planned
}

function keepText(folder: string, hash: string, content: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, `${hash}.txt`), content, { mode: 0o600, flush: true })
}

function read(file: string): Declaration {
  let raw: unknown
  try {
    raw = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    throw new Refused('REQUEST_MALFORMED', `${file}：JSONとして読めません`)
  }
  const parsed = declaration.safeParse(raw)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((i) => `${i.path.map(String).join('.') || '全体'}：${i.message}`)
  throw new Refused('REQUEST_MALFORMED', faults.join('、'))
}

async function declare(
  file: string,
  options: { dir: string; by: string; dryRun?: boolean; json?: boolean },
): Promise<void> {
  const asked = read(resolve(file))
  const opened = await openAgent(resolve(options.dir))
  try {
    const planned = await plan(opened, asked, options.by)
    if (!options.dryRun) for (const step of planned) await step.act()
    const steps = planned.map((p) => p.sentence)
    if (options.json) console.log(JSON.stringify({ dryRun: options.dryRun ?? false, steps }))
    else if (steps.length === 0) console.log('登録内容は変わりません。')
    else console.log([options.dryRun ? '次のことを行います:' : '記録しました:', ...steps].join('\n  '))
  } finally {
    await opened.close()
  }
}

export function facilityCommand(program: Command): void {
  program
    .command('facility <file>')
    .description('法人・通知書・届出をファイルから登録する（同じファイルを二度登録しても変わらない）')
    .requiredOption('--by <id>', '登録する職員のID')
    .option('--dry-run', '何を記録するかだけを表示する')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .option('--json', '結果をJSONで出す')
    .action(declare)
}
