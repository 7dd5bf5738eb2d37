import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AGENT, HUB, runToEnd } from './program.ts'
import type { Scene } from './scene.ts'
import { done, rowsOf } from './stage.ts'

const AUTHOR = 'analyst'
const OFFICE = 'office'
const REVIEWERS = ['reviewer-1', 'reviewer-2'] as const
const ROLES: readonly [string, string][] = [
  [OFFICE, 'privacy'],
  [AUTHOR, 'author,reviewer'],
  ...REVIEWERS.map((id): [string, string] => [id, 'reviewer']),
]

/** What each member of the operator's staff was given on paper: the passphrase, and codes that are good once. */
type Papers = Map<string, { passphrase: string; recoveryCodes: string[] }>

async function hire(scene: Scene): Promise<Papers> {
  const papers: Papers = new Map()
  for (const [id, roles] of ROLES)
    papers.set(
      id,
      await proving(scene, papers, 'account-add', '--id', id, '--name', id, '--roles', roles, '--by', OFFICE),
    )
  return papers
}

/** Passphrase and code as somebody types them, each on a line. */
function typed(papers: Papers, id: string): string {
  const { passphrase = '', recoveryCodes = [] } = papers.get(id) ?? {}
  return `${passphrase}\n${recoveryCodes.shift() ?? ''}\n`
}

/** A command of one person, who types both factors, once there is anybody who has some. */
async function proving<T>(scene: Scene, papers: Papers, ...command: string[]): Promise<T> {
  const by = command.at(-1) ?? ''
  const ran = runToEnd(HUB, [...command, '--secret-stdin', '--dir', scene.hub.dir, '--json'], {
    ...{ shiftMs: scene.shiftMs, input: typed(papers, by) },
  })
  return JSON.parse((await done(ran)).out) as T
}

export async function release(scene: Scene): Promise<void> {
  await linkage(scene)
  const { tell } = scene
  tell.step('提供する (application → two blind reviews → build → output check by two → sealed delivery)')
  const id = await apply(scene)
  const refused = await runToEnd(HUB, ['release', 'build', id, '--by', AUTHOR, '--dir', scene.hub.dir], {
    shiftMs: scene.shiftMs,
  })
  if (refused.code === 0) throw new Error('a build without approval was not refused')
  tell.say(`before any review, a build is refused: ${refused.err.trim().split('\n').at(-1)}`)
  await scene.atHub('release', 'assign', id, ...REVIEWERS, '--by', OFFICE)
  const papers = await hire(scene)
  await vote(scene, id, papers)
  const built = await proving<Built>(scene, papers, 'release', 'build', id, '--by', AUTHOR)
  tell.say(
    `built: ${built.persons} persons, ${built.rows} rows, digest ${built.digest.slice(0, 16)}…; the risk report says`,
  )
  for (const sentence of built.sentences) tell.say(`  ${sentence}`)
  await vote(scene, id, papers)
  const deliver = ['release', 'deliver', id, '--by', OFFICE]
  const typedName = await runToEnd(HUB, [...deliver, '--dir', scene.hub.dir], { shiftMs: scene.shiftMs })
  if (typedName.code === 0) throw new Error('a delivery by a typed name alone was not refused')
  const { parcel } = await proving<{ parcel: string }>(scene, papers, ...deliver)
  scene.parcel = parcel
  tell.say('delivered, sealed to the user’s key; pseudonyms’ table and date offsets are destroyed')
}

interface Built {
  persons: number
  rows: number
  digest: string
  sentences: string[]
}

async function linkage(scene: Scene): Promise<void> {
  const { tell } = scene
  tell.step('名寄せ (linkage: one person across hospitals, among the admitted only)')
  await scene.atHub('link')
  const rows = rowsOf<{ patient: string; person: string }>(
    join(scene.hub.dir, 'vault', 'identity.sqlite'),
    'SELECT patient, person FROM link',
  )
  const truth = new Map(
    scene.houses.flatMap((h) => [...h.persons].map(([n, who]) => [`${h.facility}/${n}`, who])),
  )
  const found = pairs(new Map(rows.map((r) => [r.patient, r.person])))
  const real = pairs(new Map(rows.map((r) => [r.patient, truth.get(r.patient) ?? r.patient])))
  const right = [...found].filter((pair) => real.has(pair)).length
  tell.say(`${rows.length} charts belong to ${new Set(rows.map((r) => r.person)).size} persons`)
  tell.say(
    `pairs linked ${found.size}, right ${right}, wrong ${found.size - right}, missed ${real.size - right}`,
  )
}

function pairs(groupOf: ReadonlyMap<string, string>): Set<string> {
  const groups = Map.groupBy([...groupOf.keys()].toSorted(), (chart) => groupOf.get(chart))
  const all = new Set<string>()
  for (const charts of groups.values())
    for (const [k, a] of charts.entries()) for (const b of charts.slice(k + 1)) all.add(`${a} ${b}`)
  return all
}

async function apply(scene: Scene): Promise<string> {
  const key = join(scene.dir, 'user.key')
  const { public: recipientKey } = await scene.atHub<{ public: string }>('release', 'user-key', key)
  const file = join(scene.dir, 'application.json')
  writeFileSync(
    file,
    JSON.stringify({
      title: '地域別の検査値と処方の記述研究',
      purpose: '三施設の検査値と処方を地域別に記述する',
      recipient: { name: '架空大学 疫学研究室', key: recipientKey },
      sharing: '申請した研究室の中だけ',
      asOf: scene.today(),
      cohort: { diagnoses: null, window: null },
    }),
  )
  const { release: id } = await scene.atHub<{ release: string }>(
    ...['release', 'draft', '--application', file, '--by', AUTHOR],
    ...(scene.smallK === null
      ? []
      : ['--k', `${scene.smallK}`, '--k-reason', '見本データの人数が少ないため']),
  )
  await scene.atHub('release', 'submit', id, '--by', AUTHOR)
  return id
}

async function vote(scene: Scene, id: string, papers: Papers): Promise<void> {
  const cast = (who: string) =>
    runToEnd(
      HUB,
      [
        ...['release', 'vote', id, '--by', who, '--reason', '確認した', '--secret-stdin'],
        ...['--dir', scene.hub.dir, '--json'],
      ],
      { shiftMs: scene.shiftMs, input: typed(papers, who) },
    )
  if ((await cast(AUTHOR)).code === 0) throw new Error('the author could vote')
  const states: string[] = []
  for (const reviewer of REVIEWERS) {
    const { state } = JSON.parse((await done(cast(reviewer))).out) as { state: string }
    states.push(state)
  }
  scene.tell.say(`two reviewers voted, the author could not: ${states.join(' → ')}`)
}

export async function verify(scene: Scene): Promise<void> {
  const { tell } = scene
  tell.step('確かめる (verify with files and public keys only)')
  const options = { shiftMs: scene.shiftMs }
  const open = join(scene.hub.dir, 'public.json')
  const folder = join(scene.dir, 'package')
  mkdirSync(folder, { recursive: true })
  const key = join(scene.dir, 'user.key')
  await done(
    runToEnd(
      HUB,
      ['release', 'open', scene.parcel ?? '', folder, '--key', key, '--public', open, '--dir', scene.hub.dir],
      options,
    ),
  )
  const files = readdirSync(folder).toSorted()
  tell.say(`the user opened it: ${files.map((f) => `${f} ${statSync(join(folder, f)).size} B`).join(', ')}`)
  const checks: [string, string, string[]][] = [
    ['package', HUB, ['verify', '--package', folder, '--public', open, '--dir', scene.hub.dir]],
    ['hub audit log', HUB, ['verify', '--dir', scene.hub.dir]],
    ...scene.houses.map((house): [string, string, string[]] => [
      `${house.facility} audit log`,
      AGENT,
      ['verify', '--dir', house.agent.dir],
    ]),
  ]
  for (const [what, program, args] of checks) {
    const said = await done(runToEnd(program, args, options))
    for (const line of said.out.trim().split('\n')) tell.say(`${what}: ${line}`)
  }
}
