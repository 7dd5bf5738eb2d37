import { mutantsOf } from '../mutation.fixture.ts'
import { jis, msh, pid, problems, results } from '../ssmix2/storage.fixture.ts'
import type { Message } from './message.ts'

const SEEDS = [
  [
    'MSH|^~\\&|HIS|SEND|GW|RCV|20260101||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994',
    'PID|0001||9999013^^^^PI||患者^太郎^^^^^L^I~カンジャ^タロウ^^^^^L^P||19480405|M|||^^^^422-8033^JPN^H^静岡県静岡市',
    'IN1|1|67^国民健康保険^JHSD0001|67999991',
  ],
  [
    'MSH|^~\\&|HIS|SEND|GW|RCV|20260101||RDE^O11^RDE_O11|1|P|2.5',
    'PID|0001||9999013',
    'ORC|NW|1||1_01_001|||||20110701103045',
    'RXE||108665201^ダーゼン錠^HOT9|1||TAB^錠^MR9P|||||15|TAB^錠^MR9P||||||||3^TAB&錠&MR9P',
    'TQ1|1||1013044400000000&内服&JAMISDP01|||5^d|2011070100',
  ],
  [
    problems('9999013', [
      ['1', '20054174', '|||||||||V^^HL70177'],
      ['2', '20054175'],
    ]),
    'ZPR||20054174^胃炎^MDCDX2',
  ],
  [results('9999013', '7.10')],
  [
    msh('RAS^O17^RAS_O17'),
    pid('9999013'),
    'ORC|NW|1||1_01_001',
    'RXA|0|1|20110701080521|20110701130543|620007329^ソリタ^HOT9|1|HON^本^MR9P||^左手^99IC2|200^看護^花子',
  ],
].map((lines) => jis(lines.join('\r')))

const PIECES = [
  '|',
  '^',
  '~',
  '\\',
  '&',
  '\r',
  '\n',
  '""',
  '\\F\\',
  '\\X41\\',
  '\u001b$B',
  '\u001b(B',
  '\u001b(J',
  'MSH',
  '\0',
]

export function mutants(count: number, seed: number): Generator<Uint8Array> {
  return mutantsOf({ seeds: SEEDS, pieces: PIECES }, count, seed)
}

/** Touches what a mapping touches; throws when something is out of its bounds. */
export function walkMessage(message: Message): void {
  for (const segment of message.segments) {
    if (segment.fields > 1001) throw new Error('too many fields')
    for (let n = 1; n <= Math.min(segment.fields, 12); n++)
      for (const one of segment.repetitions(n)) {
        one.at(1)
        one.at(2, 2)
        one.inside(1).text(3)
      }
  }
}
