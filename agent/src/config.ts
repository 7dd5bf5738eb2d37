import { z } from 'zod'
import { asNowCalled, fhirBulk, fhirFolder, fhirRest } from './sources/fhir/config.ts'
import { DAY_MINUTES, isQuietAt, quietHours } from './sources/quiet-hours.ts'

const id = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, '半角の英数字と . _ : - だけで書いてください')
const url = z.string().refine((text) => URL.canParse(text), 'URLの形ではありません')

const source = z.discriminatedUnion('kind', [
  z.strictObject({ id, quietHours, ...fhirFolder }),
  z.strictObject({ id, quietHours, ...fhirRest }),
  z.strictObject({ id, quietHours, ...fhirBulk }),
  z.strictObject({
    id,
    quietHours,
    kind: z.literal('ssmix2'),
    folder: z.string().min(1, '場所が空です'),
    /** Ten digits; needed where storages of several institutions lie side by side. */
    institution: z
      .string()
      .regex(/^\d{10}$/, '医療機関番号は10桁の数字で書いてください')
      .nullable()
      .default(null),
    /** Folder of the transaction storage, where there is one. */
    transactions: z.string().min(1, '場所が空です').nullable().default(null),
    /** Text export of the index table, where there is one. */
    indexTable: z.string().min(1, '場所が空です').nullable().default(null),
  }),
])

const shape = z.strictObject({
  hub: url,
  facility: id,
  facilityName: z.string().min(1, '名称が空です').default('医療機関'),
  track: z.enum(['ANON', 'PSEUDO']).default('ANON'),
  sources: z.array(z.preprocess(asNowCalled, source)).max(16).default([]),
  waitDays: z.number().int().min(30, '30日より短くできません').max(3650).default(30),
  /** Hours of the clinic in which all sources are left alone (Tokyo); each may have hours of its own besides. */
  quietHours,
  /** Cron expressions, Tokyo time. */
  gatherAt: z.string().default('*/5 * * * *'),
  fullGatherAt: z.string().default('30 2 * * 0'),
  counter: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: z.number().int().min(0).max(65535).default(8410),
      https: z.boolean().default(false),
    })
    .prefault({}),
  /** Where staff stood before they had a table of their own; taken over at the start, then without effect. */
  staff: z.array(z.object({ id, name: z.string().min(1), pinHash: z.string().min(20) })).default([]),
  portalAddress: url.nullable().default(null),
  operatorPhone: z.string().nullable().default(null),
  /** Folder with the exact text of each published notice, named `<hash>.txt`. */
  noticeTexts: z.string().nullable().default(null),
  /** PEM of a private certificate authority in front of the gateway. */
  caFile: z.string().nullable().default(null),
})

export type AgentConfig = z.infer<typeof shape>
export type SourceConfig = AgentConfig['sources'][number]

/** Every fault at once, in Japanese, each with the place it is at. */
export class ConfigFaulty extends Error {
  override name = 'ConfigFaulty'
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(`設定に誤りがあります。\n${faults.map((f) => `  ・${f}`).join('\n')}`)
    this.faults = faults
  }
}

const EXPECTED: Record<string, string> = {
  string: '文字',
  number: '数値',
  boolean: 'true か false',
  array: '一覧 [ ]',
  object: '項目の集まり { }',
}

function inWords(issue: z.core.$ZodIssue): string {
  const place = issue.path.length === 0 ? '全体' : issue.path.map(String).join('.')
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? `${place}：書かれていません。書き加えてください`
        : `${place}：${EXPECTED[issue.expected] ?? issue.expected}で書いてください`
    case 'unrecognized_keys':
      return `${place}：知らない項目「${issue.keys.join('」「')}」があります。綴りを確かめてください`
    case 'invalid_union':
      return `${place}：種類が正しくありません。使えるのは fhir-folder、fhir-rest、fhir-bulk、ssmix2 です`
    case 'invalid_value':
      return `${place}：使える値は ${issue.values.map(String).join('、')} です`
    case 'too_small':
    case 'too_big':
      return `${place}：${/[ぁ-ん]/.test(issue.message) ? issue.message : '範囲の外です'}`
    default:
      return `${place}：${/[ぁ-ん]/.test(issue.message) ? issue.message : '形が正しくありません'}`
  }
}

/** What the environment may override, without editing the file. */
function withEnvironment(raw: unknown, environment: Readonly<Record<string, string | undefined>>): unknown {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return raw
  const config = { ...raw } as Record<string, unknown>
  if (environment['KAKEHASHI_HUB']) config['hub'] = environment['KAKEHASHI_HUB']
  if (environment['KAKEHASHI_CA_FILE']) config['caFile'] = environment['KAKEHASHI_CA_FILE']
  const listen = environment['KAKEHASHI_COUNTER']
  if (listen) {
    const [host, port] = listen.split(':')
    config['counter'] = { ...(config['counter'] as object | undefined), host, port: Number(port) }
  }
  return config
}

/** Typed configuration out of the file's text and the environment. Throws {@link ConfigFaulty}. */
export function readConfig(
  text: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): AgentConfig {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    throw new ConfigFaulty(['全体：JSONとして読めません。かっこ・カンマ・引用符を確かめてください'])
  }
  const parsed = shape.safeParse(withEnvironment(raw, environment), { reportInput: true })
  if (parsed.success) return checked(parsed.data)
  throw new ConfigFaulty(parsed.error.issues.map(inWords))
}

function checked(config: AgentConfig): AgentConfig {
  const ids = config.sources.map((s) => s.id)
  const twice = ids.find((one, index) => ids.indexOf(one) !== index)
  if (twice !== undefined) throw new ConfigFaulty([`sources：同じ id「${twice}」が二つあります`])
  const minutes = Array.from({ length: DAY_MINUTES }, (_, minute) => minute)
  if (!minutes.some((minute) => noneRests(config, minute)))
    throw new ConfigFaulty([
      'quietHours：一日のうち、すべての電子カルテを読める時間がありません。空ける時間を短くしてください',
    ])
  return config
}

function noneRests({ quietHours: all, sources }: AgentConfig, minute: number): boolean {
  return ![all, ...sources.map((one) => one.quietHours)].some((hours) => isQuietAt(hours, minute))
}
