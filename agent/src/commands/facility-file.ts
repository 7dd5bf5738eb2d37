import { readFileSync } from 'node:fs'
import { operatorId, type OperatorId } from '@kakehashi/protocol/ids'
import { PURPOSES, STOP_STATEMENT, type NoticeContent } from '@kakehashi/protocol/notice-content'
import { Refused } from '@kakehashi/protocol/refusals'
import { isLocalDate } from '@kakehashi/protocol/rules/calendar'
import { ITEM_CLASSES, type Track } from '@kakehashi/protocol/rules/state'
import { z } from 'zod'
import { sampleNotice } from '../register/sample-notice.ts'

const day = z.string().refine(isLocalDate, '「2026-04-01」のように書いてください')
const text = z.string().min(1, '空です')

const party = { name: text, address: text, phone: text }

/** Items i to viii of Art. 52(1) or 57(1); the handler (i) is the entity above. Nothing may be left empty. */
const notice = z.strictObject({
  facility: z.strictObject(party),
  purpose: text.optional(),
  dataItems: z
    .array(z.strictObject({ item: z.enum(ITEM_CLASSES), words: text }))
    .min(1, '提供する項目がありません'),
  acquisitionMethod: text,
  provisionMethod: text,
  stopStatement: text.optional(),
  stopChannels: z
    .array(
      z.strictObject({
        kind: z.enum(['window', 'phone', 'post', 'web']),
        at: text,
        hours: text.exactOptional(),
      }),
    )
    .min(1, '停止の求めを受け付ける方法がありません'),
  updateMethod: text,
  plannedStart: day,
  /** Omitted `operator`: the one this agent is enrolled at. */
  operators: z.array(z.strictObject({ operator: text.optional(), ...party })).min(1, '提供先がありません'),
  saysOneMonth: z.boolean().default(false),
  remarks: z.string().max(4000).default(''),
})

/** What the privacy officer writes down once, and again whenever the notice or the filing changes. */
const declaration = z.strictObject({
  entity: z.strictObject({ id: text, name: text, address: text, representative: text }),
  notice,
  /** Day on which what this notice says differently becomes true; today when it is left out. */
  noticeChangesOn: day.optional(),
  /** The purpose itself changed: everybody is notified anew. */
  asNewNotice: z.boolean().default(false),
  filing: z
    .strictObject({
      id: text,
      acceptedOn: day,
      filedOn: day.exactOptional(),
      /** The ministers' number of receipt. */
      receipt: text.exactOptional(),
      /** The facilities it names; all of the legal person's when left out. */
      facilities: z.array(text).min(1).exactOptional(),
    })
    .nullable()
    .default(null),
  waitDays: z.number().int().min(30, '30日より短くできません').max(3650).default(30),
  deathPolicy: z.enum(['hold', 'allow']).default('hold'),
  closedDays: z.array(day).default([]),
})
export type Declaration = z.infer<typeof declaration>

export function contentOf(asked: Declaration, track: Track, own: OperatorId): NoticeContent {
  const { operators, purpose, stopStatement, stopChannels, ...said } = asked.notice
  const { name, address, representative } = asked.entity
  return {
    ...said,
    track,
    handler: { name, address, representative },
    purpose: purpose ?? PURPOSES[track],
    stopStatement: stopStatement ?? STOP_STATEMENT,
    stopChannels,
    operators: operators.map(({ operator, ...party }) => ({
      operator: operator === undefined ? own : operatorId(operator),
      ...party,
    })),
  }
}

/** A file to start from, filled in with the sample wording. */
export function exampleFile(): string {
  const party = { name: '（名称）', address: '（住所）', phone: '（電話番号）' }
  const {
    track: _track,
    handler: _handler,
    purpose: _purpose,
    stopStatement: _stop,
    operators: _operators,
    ...said
  } = sampleNotice({
    track: 'ANON',
    handler: { name: '', address: '', representative: '' },
    facility: party,
    operators: [{ operator: operatorId('operator'), ...party }],
    plannedStart: '2027-04-01',
  })
  const file = {
    entity: {
      id: 'entity-1',
      name: '（法人名）',
      address: '（法人の住所）',
      representative: '（代表者の氏名）',
    },
    notice: { ...said, operators: [party] },
    filing: null,
    waitDays: 30,
    deathPolicy: 'hold',
    closedDays: [],
  }
  return JSON.stringify(file, null, 2)
}

export function readDeclaration(file: string): Declaration {
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
