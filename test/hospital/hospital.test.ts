import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseResource } from '@kakehashi/agent/sources/fhir/resource'
import { readUnit } from '@kakehashi/agent/sources/fhir/unit'
import { facilityId } from '@kakehashi/protocol/ids'
import { expect, test } from 'vitest'
import { sharedData, splitClinosim } from './clinosim.ts'
import { loadFolder } from './fhir-server.ts'
import { answer, createFhirService, type FhirService } from './fhir-service.ts'
import { hospitalCharts, writeHospital } from './generator.ts'

const scope = { source: 'ehr', facility: facilityId('h1'), bases: [] }

async function temporary<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'kakehashi-hospital-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function get(service: FhirService, path: string) {
  const { status, body } = await answer(service, {
    method: 'GET',
    url: `http://h/fhir/${path}`,
    headers: {},
    body: '',
  })
  return {
    status,
    body,
    value: JSON.parse(body) as {
      entry?: { resource: { id: string } }[]
      link?: { relation: string; url: string }[]
    },
  }
}

test('the same seed makes the same hospital, another seed another one', () => {
  const made = (seed: string) =>
    [...hospitalCharts({ seed, hospital: 1, patients: 5, shared: 2 })].flatMap((c) =>
      c.lines.map((l) => l.line),
    )
  expect(made('a')).toEqual(made('a'))
  expect(made('a')).not.toEqual(made('b'))
})

test('people shared between hospitals are the same people under other numbers', () => {
  const [one, two] = [1, 2].map((hospital) => [
    ...hospitalCharts({ seed: 1, hospital, patients: 40, shared: 25 }),
  ])
  const persons = (charts = one) => new Map(charts?.map((chart) => [chart.person, chart]))
  const both = [...persons(one).keys()].filter((person) => persons(two).has(person))
  expect(both).toHaveLength(25)
  const names = (chart = one?.[0]) =>
    JSON.stringify((JSON.parse(chart?.lines[0]?.line ?? '{}') as { name: unknown }).name)
  let spelled = 0
  for (const person of both) {
    const [a, b] = [persons(one).get(person), persons(two).get(person)]
    expect(a?.number).not.toBe(b?.number)
    expect(a?.truth).toEqual(b?.truth)
    if (names(a) !== names(b)) spelled++
  }
  expect(spelled).toBeGreaterThan(0)
  expect(spelled).toBeLessThan(13)
  const numbers = [...(one ?? []), ...(two ?? [])].map((chart) => chart.number)
  expect(new Set(numbers).size).toBe(numbers.length)
})

test('every generated resource is read, with a patient, and some decimals end in zero', () => {
  const charts = [...hospitalCharts({ seed: 2, hospital: 3, patients: 60 })]
  const lines = charts.flatMap((chart) => chart.lines.map(({ line }) => ({ line, number: chart.number })))
  for (const { line, number } of lines) {
    const parsed = parseResource(Buffer.from(line), scope)
    expect(parsed.unresolved).toBe(false)
    expect(parsed.record.patients).toEqual([`h1/${number}`])
  }
  expect(lines.filter(({ line }) => /"value":\d+\.\d*0[,}]/.test(line)).length).toBeGreaterThan(20)
  expect(charts.filter((chart) => chart.truth.birthDate > '2010-04-01').length).toBeGreaterThan(0)
})

test('the server finds by type, patient, id and time, pages, and tells the deleted from the unknown', async () => {
  const service = createFhirService()
  await temporary(async (folder) => {
    const { resources } = await writeHospital(folder, { seed: 3, hospital: 1, patients: 30 })
    expect(await loadFolder(service, folder)).toBe(resources)
  })
  const [first] = [...hospitalCharts({ seed: 3, hospital: 1, patients: 30 })]
  const id = first?.number ?? ''
  const own = (type: string) => first?.lines.filter((line) => line.type === type).length
  expect((await get(service, `Observation?patient=Patient/${id}&_count=100`)).value.entry).toHaveLength(
    own('Observation') ?? -1,
  )
  expect((await get(service, `Coverage?beneficiary=Patient/${id}`)).value.entry).toHaveLength(1)
  expect((await get(service, `Patient?_id=${id}`)).value.entry).toHaveLength(1)
  expect((await get(service, `Patient/${id}/$everything?_count=500`)).value.entry).toHaveLength(
    first?.lines.length ?? -1,
  )
  let next: string | undefined = 'Observation?_sort=_lastUpdated&_count=13'
  const seen: string[] = []
  while (next !== undefined) {
    const { value } = await get(service, next)
    seen.push(...(value.entry ?? []).map((entry) => entry.resource.id))
    next = value.link?.find((link) => link.relation === 'next')?.url.replace('http://h/fhir/', '')
  }
  const total = [...hospitalCharts({ seed: 3, hospital: 1, patients: 30 })].flatMap((c) =>
    c.lines.filter((l) => l.type === 'Observation'),
  )
  expect(seen).toHaveLength(total.length)
  expect(new Set(seen).size).toBe(total.length)
  service.put(JSON.stringify({ resourceType: 'Observation', id: 'late' }), Date.parse('2027-01-01T00:00:00Z'))
  expect((await get(service, 'Observation?_lastUpdated=ge2026-12-31T00:00:00Z')).value.entry).toHaveLength(1)
  expect((await get(service, 'Observation?_lastUpdated=ge2027-01-02T00:00:00Z')).value.entry).toBeUndefined()
  service.remove('Observation', 'late')
  expect((await get(service, 'Observation/late')).status).toBe(410)
  expect((await get(service, 'Observation/never')).status).toBe(404)
})

const clinosim = sharedData()
const why = clinosim ? '' : ' (skipped: the shared data is not on this machine)'

test.skipIf(!clinosim)(`one simulated hospital becomes three, with shared patients${why}`, async () => {
  await temporary(async (folder) => {
    const splits = await splitClinosim(clinosim as string, folder, { patients: 30, shared: 0.5 })
    const persons = splits.flatMap((split) => [...split.persons.values()])
    expect(new Set(persons).size).toBe(30)
    expect(persons.length).toBeGreaterThan(35)
    for (const split of splits) {
      let [count, leaked] = [0, 0]
      const about = new Set<string>()
      for (const name of await readdir(split.folder))
        for (const line of (await readFile(join(split.folder, name), 'utf8')).split('\n').filter(Boolean)) {
          if (/POP-\d/.test(line)) leaked++
          for (const patient of parseResource(Buffer.from(line), scope).record.patients)
            about.add(patient.slice(3))
          count++
        }
      expect([count, leaked]).toEqual([split.resources, 0])
      expect(about).toEqual(new Set(split.persons.keys()))
    }
  })
})

const examples = ['data/ehr/jp-clins-examples', 'data/ehr/jp-ereferral-examples'].map((folder) =>
  sharedData(folder),
)

test.skipIf(examples.includes(null))(
  `JP-CLINS and eReferral examples: nothing is lost, and nothing unclear gets a patient${why}`,
  async () => {
    const codes: string[] = []
    let [records, decimals] = [0, 0]
    for (const folder of examples as string[])
      for (const name of (await readdir(folder)).filter((n) => n.endsWith('.json'))) {
        const bytes = await readFile(join(folder, name))
        for (const one of readUnit(bytes, scope)) {
          if (one.t === 'refused') {
            codes.push(`${name} ${one.code}`)
            continue
          }
          records++
          const { record, named, unresolved } = one.parsed
          // what one may not know, one must say
          const shared = ['Organization', 'Practitioner', 'Device', 'Location', 'Medication'].includes(
            record.key.type,
          )
          if (!shared) expect(record.patients.length > 0 || named.length > 0 || unresolved).toBe(true)
          const text = Buffer.from(record.payload).toString()
          expect(bytes.toString()).toContain(text)
          decimals += text.match(/:\s*\d+\.\d*0\b/g)?.length ?? 0
        }
      }
    expect(codes).toEqual([])
    expect(records).toBeGreaterThan(100)
    expect(decimals).toBeGreaterThan(0)
  },
)
