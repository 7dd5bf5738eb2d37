import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parsePatientKey } from '@kakehashi/protocol/ids'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { linkedCohort } from '../anonymization/linked-cohort.ts'
import { isFrom } from '../anonymization/persons.ts'
import type { Profile } from '../anonymization/profile.ts'
import { eraseContent } from '../content/erase.ts'
import { eraseIdentity } from '../identity/erase.ts'
import { deliverRelease } from './deliver.ts'
import { dropBuildsWith } from './erase.ts'
import { amendRelease, assignReviewers, draftRelease, submitRelease, voteOnRelease } from './flow.ts'
import type { BuiltPackage } from './build.ts'
import { buildRelease } from './make.ts'
import { listFiles } from './manifest.ts'
import { openParcel } from './parcel.ts'
import { accept, application, makePeople, newHouse, type House, type Made } from './people.fixture.ts'
import { releaseRow } from './transition.ts'
import { verifyPackage } from './verify.ts'

const PATIENCE_MS = 120_000

let house: House
let people: Made[]
let built: BuiltPackage
let release: string

/** One house with 120 people and one built release; what a test changes it changes for those after it. */
beforeAll(async () => {
  house = await newHouse()
  const made = makePeople(120)
  people = made.people
  await accept(house, made.records)
  release = await approved()
  built = await buildRelease(house, release, 'builder')
}, PATIENCE_MS)
afterAll(async () => {
  await house.close()
})

const yes = { answer: 'approve' as const, conflict: false, reason: '妥当' }

async function approved(
  profile: Profile = linkedCohort(),
  app: unknown = application(house),
): Promise<string> {
  const { release } = await draftRelease(house.ops, 'author', app, profile)
  await submitRelease(house.ops, release, 'author')
  await assignReviewers(house.ops, release, 'office', ['rev-1', 'rev-2'])
  const { digest } = await releaseRow(house.ops.db, release)
  for (const reviewer of ['rev-1', 'rev-2'])
    await voteOnRelease(house.ops, release, reviewer, { stage: 'review', digest, ...yes })
  return release
}

async function checkOutput(release: string): Promise<void> {
  const { package_digest: digest } = await releaseRow(house.ops.db, release)
  for (const reviewer of ['rev-1', 'rev-2'])
    await voteOnRelease(house.ops, release, reviewer, { stage: 'output', digest: digest ?? '', ...yes })
}

test(
  'T43 T46 T50 no original date, hospital, free text or identifier is in any byte; intervals stay equal',
  async () => {
    let bytes = ''
    for (const { path } of await listFiles(built.directory))
      bytes += (await readFile(join(built.directory, path))).toString('latin1')
    const planted = [
      '架け橋中央病院',
      '息子の太郎',
      '山田医師',
      '秘密町',
      '令和7年',
      '03-5555',
      '2025-01-01T',
    ]
    for (const word of planted) expect(bytes.includes(Buffer.from(word).toString('latin1'))).toBe(false)
    for (const person of people)
      for (const chart of person.charts) expect(bytes.includes(chart.split('/')[1] ?? '')).toBe(false)

    const offsets = new Map(built.members.flatMap((m) => m.charts.map((c) => [c, m])))
    const rows = (await readFile(join(built.directory, 'tables', 'observation.csv'), 'utf8'))
      .trim()
      .split('\n')
    const header = rows[0]?.split(',') ?? []
    for (const person of people) {
      const member = offsets.get(person.charts[0] ?? '')
      if (!member) continue
      const own = rows
        .filter((r) => r.includes(member.pseudonym))
        .map((r) => r.split(',')[header.indexOf('measured')])
      const shifted = new Date(Date.parse(person.dates[0] ?? '') + member.offsetDays * 86_400_000)
        .toISOString()
        .slice(0, 10)
      for (const date of own) expect(date).toBe(shifted)
      expect(member.offsetDays).not.toBe(0)
    }
  },
  PATIENCE_MS,
)

test(
  'T48 rare codes, single combinations and extremes do not reach the package',
  async () => {
    const conditions = await readFile(join(built.directory, 'tables', 'condition.csv'), 'utf8')
    expect(conditions).not.toContain('Q87')
    expect(conditions).toContain('I10')
    const values = await readFile(join(built.directory, 'tables', 'observation.csv'), 'utf8')
    expect(values).not.toMatch(/,9{4,}(\.0)?,/)
  },
  PATIENCE_MS,
)

test(
  'R40 a release walks from draft to a sealed, verified package',
  async () => {
    expect(built.smallestClass).toBeGreaterThanOrEqual(10)
    expect(built.sentences[0]).toBe(`最小の同値クラスは ${built.smallestClass} 行。基準 10 を満たします。`)
    const report = await verifyPackage(built.directory, house.signing.public)
    expect(report.checks.filter((c) => !c.ok)).toEqual([])
    expect(report.ok).toBe(true)

    await checkOutput(release)
    const keyRows = await house.ops.db.selectFrom('release_person').selectAll().execute()
    expect(keyRows.length).toBe(built.members.length)
    const { parcel } = await deliverRelease(house, release, 'office')
    expect(await house.ops.db.selectFrom('release_person').selectAll().execute()).toEqual([])
    expect(await house.ops.db.selectFrom('release_member').selectAll().execute()).toEqual([])
    expect((await releaseRow(house.ops.db, release)).state).toBe('DELIVERED')

    const opened = join(house.directory, 'opened')
    expect(await openParcel(parcel, house.user, house.signing.public, opened)).not.toBeNull()
    expect((await verifyPackage(opened, house.signing.public)).ok).toBe(true)
    const other = await newHouse()
    expect(await openParcel(parcel, other.user, house.signing.public, join(house.directory, 'x'))).toBeNull()
    await other.close()

    const [first] = keyRows
    expect(isFrom(first?.pseudonym ?? '', built.fingerprint)).toBe(true)
    expect(isFrom(first?.pseudonym ?? '', house.env.random(32))).toBe(false)

    await writeFile(join(opened, 'tables', 'person.csv'), 'person\n')
    const altered = await verifyPackage(opened, house.signing.public)
    expect(altered.ok).toBe(false)
    expect(altered.checks.find((c) => c.check === 'file tables/person.csv')?.ok).toBe(false)
  },
  PATIENCE_MS,
)

test(
  'T44 two releases with the same people share no pseudonym and no offset table',
  async () => {
    const one = built
    const two = await buildRelease(house, await approved(), 'builder')
    const ids = new Set(one.members.map((m) => m.pseudonym))
    expect(two.members.some((m) => ids.has(m.pseudonym))).toBe(false)
    const before = new Map(one.members.map((m) => [m.person, m.offsetDays]))
    const equal = two.members.filter((m) => before.get(m.person) === m.offsetDays).length
    expect(equal).toBeLessThan(two.members.length / 10)
  },
  PATIENCE_MS,
)

test(
  'T51 build without approval, or of something else than was approved, is refused',
  async () => {
    const { release } = await draftRelease(house.ops, 'author', application(house), linkedCohort())
    await expect(buildRelease(house, release, 'builder')).rejects.toThrow('NOT_ALLOWED')
    const passed = await approved()
    await expect(buildRelease(house, passed, 'builder', 'another-digest')).rejects.toThrow('NOT_ALLOWED')
    const wider = { ...application(house), purpose: '糖尿病とHIV検査' }
    await amendRelease(house.ops, passed, 'author', wider, linkedCohort())
    await expect(buildRelease(house, passed, 'builder')).rejects.toThrow('NOT_ALLOWED')
  },
  PATIENCE_MS,
)

test(
  'S9 T31 T33 R32 stopped or erased people are left out, and looked for again at delivery',
  async () => {
    const [stopped] = people
    const charts = (stopped?.charts ?? []).map((c) => parsePatientKey(c))
    house.blockedNow.add(charts[0] ?? parsePatientKey('x/1'))
    const release = await approved()
    const built = await buildRelease(house, release, 'builder')
    const inside = built.members.flatMap((m) => m.charts)
    expect(inside).not.toContain(charts[0])
    expect(inside).toContain(charts[1])

    await checkOutput(release)
    house.blockedNow.add(charts[1] ?? parsePatientKey('x/1'))
    await expect(deliverRelease(house, release, 'office')).rejects.toThrow('破棄')
    expect(await releaseRow(house.ops.db, release)).toMatchObject({ state: 'APPROVED', build: null })
    await expect(readFile(join(built.directory, 'manifest.json'))).rejects.toThrow('ENOENT')

    const again = await buildRelease(house, release, 'builder')
    const member = parsePatientKey(again.members[0]?.charts[0] ?? '')
    await eraseContent(house.content, [member])
    await eraseIdentity(house.identity, [member])
    expect(await dropBuildsWith(house.ops, [member])).toMatchObject({ releases: [release] })
    const third = await buildRelease(house, release, 'builder')
    expect(third.members.flatMap((m) => m.charts)).not.toContain(member)
    await expect(readFile(join(again.directory, 'manifest.json'))).rejects.toThrow('ENOENT')
    await expect(
      voteOnRelease(house.ops, release, 'rev-1', { stage: 'output', digest: again.digest, ...yes }),
    ).rejects.toThrow('NOT_ALLOWED')
  },
  PATIENCE_MS,
)

test(
  'R34 events near the ends of the window are left out before any date is shifted',
  async () => {
    const window = { from: '2025-01-01', to: '2025-12-31' }
    const asked = { ...application(house), cohort: { diagnoses: null, window } }
    const margin = { ...linkedCohort(), dates: { rangeDays: 60, multipleOf: 1 as const, edgeMarginDays: 60 } }
    house.blockedNow.clear()
    const only = await buildRelease(house, await approved(margin, asked), 'builder')
    const csv = await readFile(join(only.directory, 'tables', 'condition.csv'), 'utf8')
    const days = [...csv.matchAll(/,(\d{4}-\d\d-\d\d),/g)].map((m) => m[1] ?? '')
    expect(days.length).toBeGreaterThan(50)
    for (const day of days) expect(day >= window.from && day <= window.to).toBe(true)
  },
  PATIENCE_MS,
)
