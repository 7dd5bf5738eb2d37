import { readFile } from 'node:fs/promises'
import type { SourceConnector } from '@kakehashi/agent/sources/connector'
import { decodeStored } from '@kakehashi/agent/sources/hl7v2/decode'
import { firstSegment, isMessage, readMessage } from '@kakehashi/agent/sources/hl7v2/message'
import {
  openStorage,
  adt00,
  problems,
  results,
  type StorageWorld,
} from '@kakehashi/agent/sources/ssmix2/storage.fixture'
import { expect, test } from 'vitest'
import { randomOf } from './random.ts'
import { MUTATIONS, Mutator, pathsBelow, validPaths } from './ssmix2-mutator.ts'

const HOUR = 3600_000

async function filled(w: StorageWorld): Promise<void> {
  for (let n = 0; n < 12; n++) {
    const patient = String(1_000_000 + n).padStart(10, '0')
    const at = `2026010100000${String(n).padStart(4, '0')}`
    await w.put({ patient, kind: 'ADT-00', at }, adt00(patient))
    const list: [string, string][] = [1, 2, 3].map((k) => [`${n}${k}`, `2005417${k}`])
    await w.put({ patient, kind: 'PPR-01', at }, problems(patient, list))
    for (let k = 0; k < 4; k++)
      await w.put(
        {
          patient,
          kind: 'OML-11',
          date: `2026010${k + 1}`,
          order: `00000000000${n}${k}`.padStart(15, '0'),
          at,
        },
        results(patient, `${k}.${n}0`),
      )
  }
}

/** The truth, by a storage read for the first time: the same files, and no history. */
async function truth(folder: string, now: number): Promise<{ ledger: string[]; told: number }> {
  const fresh = await openStorage({ folder })
  fresh.env.at = now
  await fresh.gather()
  const ledger = await fresh.ledger()
  await fresh[Symbol.asyncDispose]()
  return { ledger, told: fresh.connector.counts.read }
}

/** Valid files by name that hold a message of their own patient: counted without the connector. */
async function readable(root: string): Promise<number> {
  let count = 0
  for (const path of validPaths(await pathsBelow(root))) {
    const text = decodeStored(await readFile(path))?.text ?? ''
    const message = readMessage(text)
    if (isMessage(message) && path.includes(`/${firstSegment(message, 'PID')?.text(3, 1)}/`)) count++
  }
  return count
}

for (const seed of [1, 2, 3, 4, 5, 6])
  test(`a storage changed by and against the rules, seed ${seed}: the ledger is what a first reading of the files gives`, async () => {
    await using w = await openStorage()
    await filled(w)
    await w.gather()
    const random = randomOf('ssmix2', seed)
    const mutator = new Mutator(w.root, random)
    for (let round = 0; round < 12; round++) {
      for (let changes = random.int(1, 6); changes > 0; changes--)
        await mutator.mutate(random.pick(MUTATIONS), await pathsBelow(w.root))
      // what is lost without a word is believed after a while: two rounds later
      for (const _ of [1, 2]) {
        w.env.at += HOUR
        await w.gather({ brake: { missingMax: 1e9, shareMax: 1, missingMin: 1e9 } })
      }
      const { ledger, told } = await truth(w.root, w.env.at)
      const quarantined = new Set(await unreadableKeys(w))
      // of a key whose valid file cannot be read, what was known stays
      const ours = (await w.ledger()).filter((row) => !quarantined.has(keyOf(row)))
      expect(ours).toEqual(ledger.filter((row) => !quarantined.has(keyOf(row))))
      expect(told).toBe(await readable(w.root))
    }
    expect(await w.gather()).toMatchObject({ seen: 0 })
  })

const keyOf = (row: string) => row.split(' ')[0] as string

async function unreadableKeys(w: StorageWorld): Promise<string[]> {
  const rows = await w.store.db.selectFrom('quarantine').select('file').execute()
  return (
    await w.index.recordsOf(
      'ss',
      rows.map((row) => row.file),
    )
  ).map(({ key }) => `${key.type}/${key.id}`)
}

test('killed at any of 200 points while the storage changes, and read on: the ledger is a clean run’s', async () => {
  await using w = await openStorage()
  await filled(w)
  const random = randomOf('ssmix2-kill')
  const mutator = new Mutator(w.root, random)
  for (let kills = 0; kills < 200; kills++) {
    let left = random.int(0, 40)
    const connector = {
      ...bound(w),
      async *changes(...args: Parameters<typeof w.connector.changes>) {
        for await (const event of w.connector.changes(...args)) {
          if (left-- === 0) throw new Error('killed')
          yield event
        }
      },
    }
    await w
      .gather({ connector, full: random.chance(0.2) })
      .catch((error: Error) => expect(error.message).toBe('killed'))
    if (kills % 10 === 0)
      await mutator.mutate(random.pick(['update', 'delete', 'late', 'duplicate']), await pathsBelow(w.root))
  }
  w.env.at += HOUR
  await w.gather()
  await w.gather()
  expect(await w.ledger()).toEqual((await truth(w.root, w.env.at)).ledger)
})

function bound({ connector }: StorageWorld): Omit<SourceConnector, 'changes'> {
  return {
    id: connector.id,
    kind: connector.kind,
    probe: () => connector.probe(),
    fetchPatient: connector.fetchPatient.bind(connector),
    fetchPatients: connector.fetchPatients.bind(connector),
  }
}
