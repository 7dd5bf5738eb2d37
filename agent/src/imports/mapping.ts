import { Refused } from '@kakehashi/protocol/refusals'
import { z } from 'zod'
import { ENCODINGS } from './encoding.ts'

/** What a line of an import may say. Only `patient` and a moment are required. */
export const FIELDS = [
  'patient',
  'at',
  'date',
  'time',
  'recipient',
  'relation',
  'method',
  'state',
  'staff',
  'confirmedBy',
  'job',
  'visit',
  'paper',
  'version',
] as const
export type Field = (typeof FIELDS)[number]

/** Headers understood without a mapping file; compared by {@link headerKey}. */
export const HEADERS: Readonly<Record<Field, readonly string[]>> = {
  patient: ['患者番号', '患者ID', '診察券番号', '登録番号', 'patient', 'patient_id', 'patient number', 'mrn'],
  at: [
    '通知日時',
    '交付日時',
    '渡した日時',
    '印刷日時',
    '発行日時',
    'delivered_at',
    'printed_at',
    'datetime',
  ],
  date: ['通知日', '交付日', '渡した日', '印刷日', '発行日', '日付', 'date', 'delivered_on'],
  time: ['時刻', '交付時刻', '印刷時刻', '発行時刻', 'time'],
  recipient: ['渡した相手', '相手', '受取人', '対象', 'recipient'],
  relation: ['続柄', '関係', 'relation'],
  method: ['方法', '渡し方', 'method'],
  state: ['状態', '区分', '結果', 'status', 'state'],
  staff: ['職員番号', '職員ID', '担当者', '担当', 'staff', 'staff_id'],
  confirmedBy: ['確認者', '確認職員', 'confirmed_by'],
  job: ['印刷番号', '発券番号', '伝票番号', 'ジョブ番号', 'job', 'job_id', 'print_id'],
  visit: ['受診番号', '来院番号', '受付番号', 'visit', 'visit_id'],
  paper: ['用紙番号', 'paper', 'paper_id'],
  version: ['版', '通知書の版', 'version'],
}

export const RECIPIENTS = ['person', 'guardian', 'both'] as const
export const METHODS = ['kiosk', 'handed', 'post', 'other'] as const
/** `printed`: a machine printed it, nobody has seen it handed over; `handed`: it was; `cancelled`: void. */
export const STATES = ['printed', 'handed', 'cancelled'] as const

export const WORDS: {
  readonly recipient: Readonly<Record<(typeof RECIPIENTS)[number], readonly string[]>>
  readonly method: Readonly<Record<(typeof METHODS)[number], readonly string[]>>
  readonly state: Readonly<Record<(typeof STATES)[number], readonly string[]>>
} = {
  recipient: {
    person: ['本人', '患者本人', 'person', 'self'],
    guardian: ['保護者', '保護者等', '家族', '代理人', 'guardian'],
    both: ['両方', '本人と保護者', '本人・保護者', 'both'],
  },
  method: {
    kiosk: ['発券機', '再来受付機', '自動', '印刷', 'kiosk'],
    handed: ['手渡し', '窓口', '手交', 'handed', 'desk'],
    post: ['郵送', 'post', 'mail'],
    other: ['その他', 'other'],
  },
  state: {
    printed: ['印刷', '印刷済', '発行', '発行済', 'printed'],
    handed: ['済', '交付済', '受取済', '渡した', '手渡し済', 'handed', 'done', 'confirmed'],
    cancelled: ['取消', '取り消し', 'キャンセル', '中止', 'cancelled', 'canceled', 'void'],
  },
}

const words = z.array(z.string().min(1).max(64)).max(32)
const place = z
  .string()
  .regex(/^[A-Z][A-Z0-9]{2}-\d{1,3}(\.\d{1,3}(\.\d{1,3})?)?$/, 'ZNT-1 や PID-3.1 のように書いてください')
const machine = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/, '半角の英数字と . _ : - だけで書いてください')

const condition = z.strictObject({ at: place, is: words.min(1) })

const shape = z.strictObject({
  /** Names the machine or system in the register: two kiosks have two names. */
  source: machine.default('kiosk'),
  csv: z
    .strictObject({
      encoding: z.enum(ENCODINGS).default('auto'),
      separator: z.enum([',', '\t', ';']).nullable().default(null),
      columns: z.partialRecord(z.enum(FIELDS), z.string().min(1).max(64)).default({}),
      recipient: z.partialRecord(z.enum(RECIPIENTS), words).default({}),
      method: z.partialRecord(z.enum(METHODS), words).default({}),
      state: z.partialRecord(z.enum(STATES), words).default({}),
      /** For files without such a column. */
      usualMethod: z.enum(METHODS).default('kiosk'),
    })
    .prefault({}),
  adt: z
    .strictObject({
      events: z.array(z.string().regex(/^A\d\d$/)).default(['A01', 'A04', 'A05']),
      cancels: z.array(z.string().regex(/^A\d\d$/)).default(['A11', 'A38']),
      patient: place.default('PID-3.1'),
      visit: place.default('PV1-19.1'),
      at: place.default('EVN-2'),
      /** All must hold, those of one segment in the same one: the message means "notice handed out". */
      notice: z
        .array(condition)
        .min(1)
        .max(8)
        .default([{ at: 'ZNT-1', is: ['1', 'Y'] }]),
      recipient: place.nullable().default(null),
      staff: place.nullable().default(null),
      /** The system records a hand-over by staff, not a print: counts at once. */
      handed: z.boolean().default(false),
    })
    .prefault({}),
})

export type Mapping = z.infer<typeof shape>

/** The mapping file's text, or the usual mapping. Throws `Refused` with every fault, in Japanese. */
export function readMapping(text: string | null): Mapping {
  if (text === null) return shape.parse({})
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    throw new Refused('REQUEST_MALFORMED', '対応表（mapping）をJSONとして読めません')
  }
  const parsed = shape.safeParse(raw)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((i) => {
    const said = /[ぁ-ん]/.test(i.message) ? i.message : '値が正しくありません'
    return `対応表の ${i.path.map(String).join('.') || '全体'}：${said}`
  })
  throw new Refused('REQUEST_MALFORMED', faults.join('、'))
}

/** Widths, case, spaces and underscores do not tell headers and words apart. */
export function headerKey(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\s_\-・()「」"']/g, '')
}

/** Which column says what. Throws `Refused` naming the columns that are missing. */
export function columnsOf(header: readonly string[], mapping: Mapping): Partial<Record<Field, number>> {
  const keys = header.map((cell) => headerKey(cell.replace(/^\uFEFF/, '')))
  const found: Partial<Record<Field, number>> = {}
  const missing: string[] = []
  for (const field of FIELDS) {
    const told = mapping.csv.columns[field]
    const names = told === undefined ? HEADERS[field] : [told]
    const at = keys.findIndex((key) => key !== '' && names.some((name) => headerKey(name) === key))
    if (at >= 0) found[field] = at
    else if (told !== undefined) missing.push(told)
  }
  if (found.patient === undefined) missing.push('患者番号')
  if (found.at === undefined && found.date === undefined) missing.push('通知日時')
  if (missing.length > 0)
    throw new Refused('REQUEST_MALFORMED', `見出しに列がありません：${[...new Set(missing)].join('、')}`)
  return found
}

/** The meaning of a word in the file; `null`: none known. */
export function meaning<T extends string>(
  cell: string,
  usual: Readonly<Record<T, readonly string[]>>,
  own: Partial<Record<T, readonly string[]>>,
): T | null {
  const key = headerKey(cell)
  for (const [value, known] of Object.entries(usual) as [T, readonly string[]][])
    if ([...(own[value] ?? []), ...known].some((word) => headerKey(word) === key)) return value
  return null
}
