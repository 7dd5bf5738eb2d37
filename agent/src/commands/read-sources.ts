import type { Command } from 'commander'
import { Refused, storedInJapanese } from '@kakehashi/protocol/refusals'
import type { Store } from '@kakehashi/store/store'
import type { SourceConnector } from '../sources/connector.ts'
import { KINDS } from '../sources/kinds.ts'
import { type Preview, preview } from '../sources/preview.ts'
import type { SourcesTables } from '../sources/store.ts'
import { type Opened, using } from './opened.ts'
import { takeLock } from './lock.ts'
import { table } from './tables.ts'

interface Asked {
  dir: string
  json?: boolean
}

const PROBE_MS = 20_000

/** The configured sources, or the one that was named. */
function chosen({ connectors }: Opened, source: string | undefined): readonly SourceConnector[] {
  if (source === undefined) return connectors
  const one = connectors.find(({ id }) => id === source)
  if (!one) throw new Refused('NOT_FOUND', source)
  return [one]
}

const DELETES = {
  history: '履歴で分かる',
  sweep: '全件を読み直して分かる',
  none: '分からない',
} as const

async function probe(source: string | undefined, options: Asked): Promise<void> {
  await using(options.dir, async (opened) => {
    const found = await Promise.all(chosen(opened, source).map(probed))
    if (options.json) console.log(JSON.stringify(found))
    else console.log(table([['電子カルテ', '種類', '状態', '中身'], ...found.map(probeRow)]))
    if (found.some(({ code }) => code !== null)) process.exitCode = 1
  })
}

type Probed = Awaited<ReturnType<typeof probed>>

async function probed(connector: SourceConnector) {
  const { id, kind } = connector
  try {
    return { id, kind, code: null, profile: await connector.probe(AbortSignal.timeout(PROBE_MS)) }
  } catch (error) {
    const code = error instanceof Refused ? error.refusal.code : ('SOURCE_ANSWER_BAD' as const)
    return { id, kind, code, profile: null }
  }
}

function probeRow({ id, kind, code, profile }: Probed): string[] {
  if (profile === null) return [id, KINDS[kind], storedInJapanese(code ?? ''), '']
  const { software, fhirVersion, types, deletes, skewMs } = profile
  const told = [
    software,
    fhirVersion === null ? '' : `FHIR ${fhirVersion}`,
    `${types.length}種類`,
    `削除は${DELETES[deletes]}`,
    skewMs === null ? '' : `時計の差 ${Math.round(skewMs / 1000)}秒`,
  ]
  return [id, KINDS[kind], '読めます', told.filter((one) => one !== '').join('、')]
}

interface ReadAsked extends Asked {
  full?: boolean
  dryRun?: boolean
}

/** One round by hand. While the agent runs it does this itself, and only a dry run is allowed beside it. */
async function read(source: string | undefined, options: ReadAsked): Promise<void> {
  await using(options.dir, async (opened) => {
    const connectors = chosen(opened, source)
    const full = options.full === true
    if (!options.dryRun) return readForGood(opened, connectors, full, options)
    const found: Preview[] = []
    const { context } = opened.agent
    const store = context.store as unknown as Store<SourcesTables>
    const { signal } = new AbortController()
    for (const connector of connectors)
      found.push(await preview({ store, connector, env: context.env, signal, full }))
    if (options.json) return console.log(JSON.stringify(found))
    console.log(table([COLUMNS, ...found.map(previewRow)]))
    for (const one of found) tellMissing(one)
    tellFaults(found.flatMap((one) => one.faults))
    console.log('\n何も書き換えていません。')
  })
}

const COLUMNS = [
  '電子カルテ',
  '読めた',
  '新しい',
  '変わった',
  '同じ',
  '保留',
  '読めない箇所',
  '削除と告げられた',
]

function previewRow(one: Preview): string[] {
  const counts = [one.seen, one.added, one.changed, one.unchanged, one.held, one.quarantined, one.deleted]
  return [one.source, ...counts.map(String)]
}

function tellMissing({ source, missing }: Preview): void {
  for (const { type, missing: n, total, braked } of missing)
    console.log(
      braked
        ? `\n${source} の ${type} が ${total}件中 ${n}件 見当たりません。多いため、読み取ってもすぐには削除とみなしません。`
        : `\n${source} の ${type} が ${total}件中 ${n}件 見当たりません。読み取ると、削除されたものとして扱います。`,
    )
}

function tellFaults(faults: readonly { code: string; place: string }[]): void {
  if (faults.length === 0) return
  console.log('\n読めなかった場所')
  console.log(table(faults.map(({ place, code }) => [place, storedInJapanese(code)])))
  process.exitCode = 1
}

async function readForGood(
  { agent, at, connectors: all }: Opened,
  connectors: readonly SourceConnector[],
  full: boolean,
  options: ReadAsked,
): Promise<void> {
  const unlock = takeLock(at.lock)
  try {
    const wanted = new Set(connectors.map(({ id }) => id))
    const resting = new Set(all.filter(({ id }) => !wanted.has(id)).map(({ id }) => id))
    const { faults, ...told } = await agent.gather({ full, resting })
    if (options.json) return console.log(JSON.stringify({ ...told, faults }))
    const { seen, added, changed, vanished, quarantined, held } = told
    console.log(
      table([
        ['読めた', '新しい', '変わった', '消えた', '読めない箇所', '保留'],
        [seen, added, changed, vanished, quarantined, held].map(String),
      ]),
    )
    tellFaults(faults)
  } finally {
    unlock()
  }
}

export function readSourcesCommands(sources: Command): void {
  const at = ['--dir <dir>', 'エージェントの場所', 'agent-data'] as const
  sources
    .command('probe [source]')
    .alias('list')
    .description('設定してある電子カルテが読めるか、何をどう読めるか（読めないものがあれば終了コード1）')
    .option(...at)
    .option('--json', 'JSONで出す')
    .action(probe)
  sources
    .command('read [source]')
    .description('一回だけ読む：何が新しく、何が変わったか')
    .option('--full', '変わったものだけでなく、はじめから全部読む')
    .option('--dry-run', '何も書き換えず、読んだらどうなるかを数える（動いている間も使える）')
    .option(...at)
    .option('--json', 'JSONで出す')
    .action(read)
  sources
    .command('sweep [source]')
    .description('全部読み直して、元から消えたものを見つける')
    .option('--dry-run', '何も書き換えず、何が見当たらないかを数える（動いている間も使える）')
    .option(...at)
    .option('--json', 'JSONで出す')
    .action((source: string | undefined, options: ReadAsked) => read(source, { ...options, full: true }))
}
