import type { Treated } from './disclosure.ts'
import type { Attack } from './intruder.ts'
import { coverage, type Profile } from './profile.ts'
import type { Check } from './recheck.ts'
import type { Resisting } from './resist.ts'

export interface RiskReport {
  profile: { name: string; version: number; hash: string }
  k: { wanted: number; smallest: number; reason: string | null; strictness: number }
  persons: { considered: number; released: number; suppressed: number }
  generalisation: { column: string; level: number }[]
  diversity: Treated['diversity'] & { wanted: number }
  events: Treated['events']
  attacks: Attack[]
  checks: Check[]
  criteria: ReturnType<typeof coverage>
  sentences: string[]
  limits: string[]
}

export function riskReport(
  profile: Profile,
  hash: string,
  { treated, attacks, strictness }: Resisting,
  written: { checks: Check[]; smallestClass: number; persons: number },
): RiskReport {
  const { generalised } = treated
  const report = {
    profile: { name: profile.name, version: profile.version, hash },
    k: {
      wanted: profile.privacy.k,
      smallest: written.smallestClass,
      reason: profile.privacy.smallKReason ?? null,
      strictness,
    },
    persons: {
      considered: generalised.persons,
      released: written.persons,
      suppressed: generalised.suppressed,
    },
    generalisation: profile.persons.quasi.map((c, i) => ({
      column: c.column,
      level: generalised.levels[i] ?? 0,
    })),
    diversity: { ...treated.diversity, wanted: profile.privacy.diversityMin },
    events: treated.events,
    attacks,
    checks: written.checks,
    criteria: coverage(profile),
    limits: LIMITS,
  }
  return { ...report, sentences: sentences(report) }
}

const LIMITS = [
  'k は宣言した項目（性別・年齢階級・地域）についてだけ成り立ちます。診療の経過を二つ以上知る人に対しては、下の模擬攻撃の値を見てください。',
  '日付は人ごとに一つの幅でずらしています。受診の曜日や休日の並びから、ずれを推し測れる場合があります。',
  '同じ方が別の提供にも含まれることがあります。番号は別ですが、内容の並びから照合できる場合があり、契約で照合を禁じています。',
]

function sentences(report: Omit<RiskReport, 'sentences'>): string[] {
  const { k, persons, diversity, attacks, events, checks } = report
  const met = k.smallest >= k.wanted
  const dropped = events.reduce((n, e) => n + e.codesDropped, 0)
  const merged = events.reduce((n, e) => n + e.codesGeneralised, 0)
  const clipped = events.reduce((n, e) => n + e.valuesClipped, 0)
  const failed = checks.filter((c) => !c.ok).length
  return [
    `最小の同値クラスは ${k.smallest} 行。基準 ${k.wanted} を${met ? '満たします' : '満たしません'}。`,
    ...(k.strictness === 1
      ? []
      : [`模擬攻撃に耐えるよう、同値クラスとまれなコードの基準を ${k.strictness} 倍にしました。`]),
    ...(k.reason === null ? [] : [`基準を 10 より小さくした理由：${k.reason}`]),
    `対象 ${persons.considered} 人のうち ${persons.suppressed} 人を、同じ特徴の人が少ないため除きました。`,
    `まれなコード ${merged} 種を上位の分類にまとめ、${dropped} 種を除きました。極端な値 ${clipped} 件を丸めました。`,
    diversity.classesBelow === 0
      ? `どの同値クラスにも傷病の章が ${diversity.smallest} 種以上あります。`
      : `傷病の章が ${diversity.wanted} 種に満たない同値クラスが ${diversity.classesBelow} あります。`,
    ...attacks.map(
      (a) =>
        `性別・年齢・地域と診療 ${a.known} 件を知る人を ${a.targets} 人分模擬し、一人に絞れたのは ${a.unique} 人（95%区間 ${percent(a.low)}～${percent(a.high)}）。`,
    ),
    failed === 0
      ? `出力を別の手順で数え直した ${checks.length} 項目は、すべて一致しました。`
      : `出力を数え直した ${checks.length} 項目のうち ${failed} 項目が一致しません。`,
  ]
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`
}
