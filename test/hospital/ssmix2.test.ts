import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hl7Message } from '@medplum/core'
import { FACILITY } from '@kakehashi/agent/sources/folder.fixture'
import { decodeStored } from '@kakehashi/agent/sources/hl7v2/decode'
import { isMessage, linesOf, readMessage } from '@kakehashi/agent/sources/hl7v2/message'
import { openStorage } from '@kakehashi/agent/sources/ssmix2/storage.fixture'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { filesBelow, generatedStorage, officialSamples, type GeneratedForm } from './ssmix2.ts'

const samples = officialSamples()
const why = samples ? '' : ' (skipped: the shared data is not on this machine)'
const FORMS: readonly GeneratedForm[] = ['storage', 'storage-cr-normalised']

const unpacked = new Map<GeneratedForm, string>()
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kakehashi-generated-'))
  for (const form of FORMS) unpacked.set(form, (await generatedStorage(folder, form)) ?? '')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function segmentsIn(folder: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const path of await filesBelow(folder))
    for (const line of (await readFile(path)).toString('latin1').split(/[\r\n]/)) {
      const name = line.slice(0, 3)
      // an order repeats the allergies of the chart
      if (name === 'AL1' && !path.includes('_ADT-00_')) continue
      // of a deceptive encoding only the first letters matter, and they are ASCII
      if (/^[A-Z][A-Z0-9]{2}$/.test(name)) counts[name] = (counts[name] ?? 0) + 1
    }
  return counts
}

/** Every field, repetition, component and subcomponent as another parser sees it. Answers how many it compared. */
function compared(text: string, place: string): number {
  const ours = readMessage(text)
  if (!isMessage(ours)) throw new Error(`${place}: ${ours}`)
  // it knows no other end of segments than CR, and nothing of what ends a file
  const theirs = Hl7Message.parse(linesOf(text).filter(Boolean).join('\r'))
  if (theirs.segments.length !== ours.segments.length) throw new Error(`${place}: segments`)
  let count = 0
  for (const [n, segment] of ours.segments.entries()) {
    const other = theirs.segments[n]!
    if (segment.name !== other.name) throw new Error(`${place}: ${segment.name}`)
    if (segment.name === 'MSH') continue
    for (let f = 1; f <= segment.fields; f++)
      for (const [r, one] of segment.repetitions(f).entries()) {
        const parts = other.getField(f)!.components[r]!
        for (const [c, whole] of parts.entries())
          for (const [s, told] of whole.split('&').entries()) {
            const read = one.at(c + 1, s + 1)
            if ((read === null ? '""' : (read ?? '')) !== told)
              throw new Error(`${place}: ${segment.name}-${f}`)
            count++
          }
      }
  }
  return count
}

test.skipIf(!samples)(
  `oracle: the official samples are read as another parser reads them${why}`,
  async () => {
    let [values, refused] = [0, 0]
    for (const path of await filesBelow(samples as string)) {
      const decoded = decodeStored(await readFile(path))
      if (decoded === null || !isMessage(readMessage(decoded.text))) refused++
      else values += compared(decoded.text, path)
    }
    expect(refused).toBe(1)
    expect(values).toBeGreaterThan(4500)
  },
)

test.skipIf(!samples)(
  `oracle: all 8,849 generated files are read as another parser reads them${why}`,
  async () => {
    let [files, values] = [0, 0]
    for (const path of await filesBelow(unpacked.get('storage')!)) {
      const decoded = decodeStored(await readFile(path))
      if (decoded?.encoding !== 'iso-2022-jp') throw new Error(path)
      values += compared(decoded.text, path)
      files++
    }
    expect(files).toBe(8849)
    expect(values).toBeGreaterThan(1_000_000)
  },
)

test.skipIf(!samples)(
  `the 22 official samples: each becomes records, is deleted, or is refused for the right reason${why}`,
  async () => {
    await using w = await openStorage({ folder: samples as string })
    const gathered = await w.gather()
    expect(gathered).toMatchObject({ added: 22, quarantined: 12, faults: [] })
    expect(w.connector.counts).toEqual({ read: 9, superseded: 0, deleted: 1, quarantined: 12, waiting: 0 })
    const codes = Map.groupBy(await w.quarantined(), (one) => one.split(' ')[0])
    expect([...codes].map(([code, all]) => [code, all.length])).toEqual([
      ['PATIENT_MISMATCH', 11],
      ['FILE_MISPLACED', 1],
    ])
    const types = Map.groupBy(await w.ledger(), (row) => row.split('/')[0]!)
    expect(Object.fromEntries([...types].map(([type, all]) => [type, all.length]))).toEqual({
      Patient: 1,
      Coverage: 1,
      RelatedPerson: 1,
      AllergyIntolerance: 1,
      Observation: 3,
      Encounter: 3,
      MedicationRequest: 6,
      MedicationAdministration: 4,
      ServiceRequest: 2,
    })
  },
)

for (const form of FORMS)
  test.skipIf(!samples)(
    `all 8,849 generated files (${form}) are accounted for, twice and no more${why}`,
    async () => {
      const root = unpacked.get(form)!
      await using w = await openStorage({ folder: root })
      const gathered = await w.gather()
      const { counts } = w.connector
      console.log(
        `${form}: ${JSON.stringify(counts)}, ${gathered.added} records, ${gathered.quarantined} quarantined`,
      )
      expect(counts).toEqual({ read: 8849, superseded: 0, deleted: 0, quarantined: 0, waiting: 0 })
      expect(gathered).toMatchObject({ quarantined: 0, held: 0, vanished: 0, faults: [] })
      const types = Map.groupBy(await w.ledger(), (row) => row.split('/')[0]!)
      // segment for segment what the files hold, counted without any reader
      const held = await segmentsIn(root)
      const made = Object.fromEntries([...types].map(([type, all]) => [type, all.length]))
      expect(made).toEqual({
        Patient: 348,
        Encounter: 2158 + 16 + 16,
        Condition: held['PRB'],
        MedicationRequest: held['RXE'],
        Observation: held['OBX'],
        Specimen: held['SPM'],
        DiagnosticReport: held['OBR'],
        ServiceRequest: held['OBR'],
        AllergyIntolerance: held['AL1'],
        Coverage: held['IN1'],
        RelatedPerson: held['NK1'],
      })
      expect(await w.gather()).toMatchObject({ seen: 0, faults: [] })
      expect(await w.gather({ full: true })).toMatchObject({
        added: 0,
        changed: 0,
        vanished: 0,
        seen: gathered.seen,
      })
      const people = types
        .get('Patient')!
        .slice(0, 20)
        .map((row) => `${FACILITY}/${row.split(/[/ ]/)[1]}`)
      let records = 0
      let complete = 0
      for await (const event of w.connector.fetchPatients(people as never, new AbortController().signal)) {
        if (event.t === 'record') records++
        if (event.t === 'patient-read' && event.complete) complete++
      }
      expect(complete).toBe(20)
      const told = await w.store.db.selectFrom('source_ledger').select(['patients']).execute()
      expect(records).toBe(told.filter((row) => people.includes(JSON.parse(row.patients)[0])).length)
    },
  )
