import { randomOf, type Random } from './random.ts'

/** One human being of the invented country, before any hospital wrote them down. */
export interface Person {
  person: string
  family: Name
  given: Name
  sex: 'male' | 'female'
  birthDate: string
  place: Place
  street: string
  phone: string
  insurance: { insurer: string; symbol: string; number: string; branch: string }
}

interface Name {
  kanji: string
  kana: string
  /** Another way to write the same name (異体字). */
  variant?: string
}

interface Place {
  prefecture: string
  code: string
  city: string
  postal: string
}

const FAMILIES: Name[] = names(
  '佐藤サトウ 鈴木スズキ 高橋タカハシ/髙橋 田中タナカ 伊藤イトウ 渡辺ワタナベ/渡邊 山本ヤマモト 中村ナカムラ 小林コバヤシ 加藤カトウ ' +
    '吉田ヨシダ 山田ヤマダ 佐々木ササキ 山口ヤマグチ 松本マツモト 井上イノウエ 木村キムラ 林ハヤシ 斎藤サイトウ/齋藤 清水シミズ ' +
    '山崎ヤマザキ/山﨑 森モリ 池田イケダ 橋本ハシモト 阿部アベ 石川イシカワ 山下ヤマシタ 中島ナカジマ/中嶋 前田マエダ 藤田フジタ ' +
    '小川オガワ 後藤ゴトウ 岡田オカダ 長谷川ハセガワ 村上ムラカミ 近藤コンドウ 石井イシイ 遠藤エンドウ 青木アオキ 坂本サカモト',
)
const MALE: Name[] = names(
  '太郎タロウ 健一ケンイチ 誠マコト 浩ヒロシ 隆タカシ 翔太ショウタ 大輔ダイスケ 拓也タクヤ 直樹ナオキ 蓮レン 陽翔ハルト 湊ミナト 清キヨシ 勇イサム 茂シゲル 実ミノル 修オサム 亮リョウ 学マナブ 悠真ユウマ',
)
const FEMALE: Name[] = names(
  '花子ハナコ 陽子ヨウコ 恵子ケイコ 幸子サチコ 和子カズコ 由美ユミ 真由美マユミ 智子トモコ 美咲ミサキ 葵アオイ 陽菜ヒナ 結衣ユイ 凛リン 節子セツコ 文子フミコ 久美子クミコ 裕子ユウコ 麻衣マイ 愛アイ 詩織シオリ',
)
const PLACES: Place[] = [
  { prefecture: '東京都', code: '13', city: '世田谷区', postal: '1540001' },
  { prefecture: '東京都', code: '13', city: '八王子市', postal: '1920001' },
  { prefecture: '神奈川県', code: '14', city: '川崎市中原区', postal: '2110001' },
  { prefecture: '埼玉県', code: '11', city: '川越市', postal: '3500001' },
  { prefecture: '千葉県', code: '12', city: '船橋市', postal: '2730001' },
  { prefecture: '長野県', code: '20', city: '松本市', postal: '3900801' },
]

function names(text: string): Name[] {
  return text.split(' ').map((one) => {
    const [spelled, variant] = one.split('/')
    const at = (spelled as string).search(/[ァ-ヴ]/)
    const name = { kanji: (spelled as string).slice(0, at), kana: (spelled as string).slice(at) }
    return variant === undefined ? name : { ...name, variant }
  })
}

/** `about` is the day ages are counted from; one person in seven is under 16. */
export function personOf(seed: string | number, person: string, about: string): Person {
  const random = randomOf(seed, 'person', person)
  const sex = random.chance(0.5) ? 'male' : 'female'
  const place = random.pick(PLACES)
  const age = random.chance(0.14) ? random.int(0, 15) : random.int(16, 96)
  const birth = new Date(Date.parse(about) - (age * 365.25 + random.int(1, 364)) * 86_400_000)
  return {
    person,
    family: random.pick(FAMILIES),
    given: random.pick(sex === 'male' ? MALE : FEMALE),
    sex,
    birthDate: birth.toISOString().slice(0, 10),
    place,
    street: `${random.pick(['本町', '中央', '東', '緑町', '若葉台'])}${random.int(1, 5)}-${random.int(1, 30)}-${random.int(1, 20)}`,
    phone: `0${random.int(3, 9)}0-${digits(random, 4)}-${digits(random, 4)}`,
    insurance: {
      insurer: `3113${digits(random, 4)}`,
      symbol: digits(random, 4),
      number: digits(random, 7),
      branch: age < 16 ? `0${random.int(2, 4)}` : '01',
    },
  }
}

export function digits(random: Random, n: number): string {
  return Array.from({ length: n }, () => random.int(0, 9)).join('')
}

/** How one hospital wrote this person down: most often as they are, now and then with a small difference. */
export function asWritten(person: Person, random: Random): Person & { familyWritten: string } {
  const familyWritten =
    person.family.variant !== undefined && random.chance(0.3) ? person.family.variant : person.family.kanji
  const phone = random.chance(0.2) ? person.phone.replaceAll('-', '') : person.phone
  const street = random.chance(0.2) ? wide(person.street) : person.street
  return { ...person, familyWritten, phone, street }
}

/** Digits and hyphens in full width, as many hospitals type them. */
export function wide(text: string): string {
  return text.replaceAll(/[0-9-]/g, (c) =>
    c === '-' ? '－' : String.fromCodePoint(c.charCodeAt(0) + 0xfee0),
  )
}
