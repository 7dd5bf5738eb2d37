import { mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { LABEL_POLICY } from '@kakehashi/agent/sources/labels'
import { Ssmix2Storage } from '@kakehashi/agent/sources/ssmix2/storage'
import {
  adt00,
  jis,
  OLD,
  pathOf,
  problems,
  results,
  type Written,
} from '@kakehashi/agent/sources/ssmix2/storage.fixture'
import { folderIndex } from '@kakehashi/agent/sources/ssmix2/store'
import { openPartitions } from '@kakehashi/hub/content/open'
import { settle } from '@kakehashi/hub/content/settle'
import { afterEach, expect, test } from 'vitest'
import { chart, FACILITY } from './agent-world.ts'
import { BothEnds } from './both-ends.ts'

let both: BothEnds
afterEach(() => both.close())

const PATIENT = '0000123456'
const OTHER = '0000654321'
const base = (patient: string): Written => ({ patient, kind: 'ADT-00', at: '20260405090000000' })
const list = (patient: string): Written => ({ ...base(patient), kind: 'PPR-01' })
const lab = (patient: string): Written => ({
  ...base(patient),
  kind: 'OML-11',
  date: '20260405',
  order: '000000000000777',
})

function put(file: Written, text: string): void {
  const path = pathOf(both.folder, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, jis(text))
  utimesSync(path, OLD, OLD)
}

const storage = ({ folder, store }: BothEnds) =>
  new Ssmix2Storage({
    source: 'ss',
    facility: FACILITY,
    labels: LABEL_POLICY,
    folder,
    institution: null,
    transactions: null,
    indexTable: null,
    env: store.env,
    index: folderIndex(store as never),
  })

async function held(): Promise<string[]> {
  await settle(both.hub.content)
  return openPartitions(both.hub.content, async (db) => {
    const rows = await db.runAndReadAll(
      "SELECT type || ' ' || coalesce(code, '') AS said FROM content ORDER BY 1",
    )
    return rows.getRows().map(([said]) => String(said))
  })
}

test('an SS-MIX2 hospital’s records go through the gate to the vault, a stopped patient’s do not, and a deletion follows', async () => {
  both = await BothEnds.open('2026-04-06T09:00:00+09:00', storage)
  for (const patient of [PATIENT, OTHER]) {
    put(base(patient), adt00(patient))
    put(
      list(patient),
      problems(patient, [
        ['1', '20054174'],
        ['2', '20054175'],
      ]),
    )
    put(lab(patient), results(patient, '7.10'))
  }
  expect(await both.agent.gather()).toMatchObject({ faults: [], quarantined: 0 })
  for (const patient of [PATIENT, OTHER])
    await both.agent.register.recordNotice({ patient: chart(patient), by: 'desk' })
  await both.pass(3)
  await both.agent.register.recordStop({ patient: chart(OTHER), by: 'desk' })
  // before the wait is over nothing is even read for sending
  expect(await both.agent.build()).toMatchObject({ records: 0 })
  await both.pass(37)
  // the order itself is of an item that the notice does not list: it alone stays
  expect(await both.agent.build()).toMatchObject({ records: 6, withheld: 1 })
  await both.talk()

  const { identity } = both.hub
  expect(
    await identity.db
      .selectFrom('identity_patient')
      .select(['patient', 'kanji_family', 'kana_family', 'birth_date', 'sex'])
      .execute(),
  ).toEqual([
    {
      patient: chart(PATIENT),
      kanji_family: '患者',
      kana_family: expect.any(String),
      birth_date: '1948-04-05',
      sex: 'male',
    },
  ])
  expect(await held()).toEqual([
    'Condition 20054174',
    'Condition 20054175',
    'DiagnosticReport 3',
    'Observation 3A010000002327101',
    'Patient ',
    'Specimen 023',
  ])

  const old = list(PATIENT)
  renameSync(pathOf(both.folder, old), pathOf(both.folder, { ...old, flag: 2 }))
  put({ ...old, at: '20260501090000000' }, problems(PATIENT, [['2', '20054175']]))
  const gone = lab(PATIENT)
  renameSync(pathOf(both.folder, gone), pathOf(both.folder, { ...gone, flag: 0 }))
  await both.agent.gather()
  expect(await both.agent.build()).toMatchObject({ records: 0, tombstones: 4 })
  await both.talk()
  expect(await held()).toEqual(['Condition 20054175', 'Patient '])
})
