/** JIS X 0401 prefectures and the eight customary regions (地方) they generalise to. */
const REGIONS: Record<string, readonly string[]> = {
  北海道: ['北海道'],
  東北: ['青森県', '岩手県', '宮城県', '秋田県', '山形県', '福島県'],
  関東: ['茨城県', '栃木県', '群馬県', '埼玉県', '千葉県', '東京都', '神奈川県'],
  中部: ['新潟県', '富山県', '石川県', '福井県', '山梨県', '長野県', '岐阜県', '静岡県', '愛知県'],
  近畿: ['三重県', '滋賀県', '京都府', '大阪府', '兵庫県', '奈良県', '和歌山県'],
  中国: ['鳥取県', '島根県', '岡山県', '広島県', '山口県'],
  四国: ['徳島県', '香川県', '愛媛県', '高知県'],
  九州: ['福岡県', '佐賀県', '長崎県', '熊本県', '大分県', '宮崎県', '鹿児島県', '沖縄県'],
}

export const PREFECTURES: readonly string[] = Object.values(REGIONS).flat()

const REGION_OF = new Map(
  Object.entries(REGIONS).flatMap(([region, names]) => names.map((n) => [n, region] as const)),
)

/** The prefecture's name for `13`, `JP-13`, `東京` or `東京都`; `null` for anything else, so no text passes. */
export function prefectureOf(state: string): string | null {
  const text = state.normalize('NFKC').trim()
  const code = /^(?:JP-)?(\d{2})$/.exec(text)?.[1]
  if (code !== undefined) return PREFECTURES[Number(code) - 1] ?? null
  return PREFECTURES.find((name) => name === text || name.replace(/[都府県]$/, '') === text) ?? null
}

export function regionOf(prefecture: string): string | null {
  return REGION_OF.get(prefecture) ?? null
}

/** Every value a region column may hold, for the check of what was written. */
export const REGION_VALUES: ReadonlySet<string> = new Set([
  ...PREFECTURES,
  ...Object.keys(REGIONS),
  '*',
  '不明',
])
