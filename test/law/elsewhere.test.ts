import { endElsewhere } from '@kakehashi/hub/requests/left-stop'
import { elsewhereStop, patientKey, type StopId } from '@kakehashi/protocol/ids'
import { expect, test } from 'vitest'
import { FACILITY, person } from './agent-world.ts'
import { BothEnds } from './both-ends.ts'

test('R18 R21 every hospital, asked at one counter: the operator holds it, and ends it only after the person took it back there', async () => {
  const both = await BothEnds.open()
  try {
    both.write('Patient.ndjson', [person('0001', '1948-05-03')])
    await both.agent.gather()
    const { register } = both.agent
    const { stop } = await register.recordStop({
      patient: patientKey(FACILITY, '0001'),
      hospitals: 'all',
      erasureAsked: true,
      by: 'desk',
    })
    await both.talk()
    const held = () =>
      both.hub.ops.db
        .selectFrom('stop as s')
        .innerJoin('stop_intake as i', 'i.stop', 's.stop')
        .select(['s.stop', 's.standing', 'i.erasure_wanted'])
        .execute()
    const elsewhere = elsewhereStop(stop)
    expect(await held()).toEqual([{ stop: elsewhere, standing: 'provisional', erasure_wanted: 1 }])
    // the asking hospital's own chart is its own stop's, not this one's
    const charts = await both.hub.ops.db.selectFrom('stop_hash').select('stop').execute()
    expect(charts).toEqual([{ stop }])
    const end = () => endElsewhere(both.hub.parts, { stop: elsewhere, by: 'desk' })
    await expect(end()).rejects.toMatchObject({ refusal: { place: 'withdrawal' } })
    both.hub.env.pass(3_600_000)
    await register.withdrawStop({
      ...{ stop, elsewhere: true, requester: 'person', identityCheck: 'document', by: 'desk' },
    })
    await both.talk()
    expect((await held())[0]?.standing).toBe('provisional')
    await end()
    expect((await held())[0]?.standing).toBe('withdrawn')
  } finally {
    await both.close()
  }
})

test('R12 R18 R21 no chart, every hospital: told by the name as said; found, its person takes it back; an error, two people do', async () => {
  const both = await BothEnds.open()
  try {
    const { register } = both.agent
    const ask = (kana: string) =>
      register.recordNameStop({
        ...{ kana, name: '', birthDate: '1948-05-03', requester: 'person', by: 'desk' },
        ...{ hospitals: 'all', futureHospitals: true },
      })
    const [own, error, kept] = [
      await ask('オオノ ハナ'),
      await ask('マチガイ タロウ'),
      await ask('ベツノ ヒト'),
    ]
    expect([own, error].map(({ slip, candidates }) => [slip.elsewhere, candidates])).toEqual([
      ['all', []],
      ['all', []],
    ])
    await both.talk()
    const standing = async ({ stop }: { stop: StopId }) =>
      (
        await both.hub.ops.db
          .selectFrom('stop')
          .select('standing')
          .where('stop', '=', elsewhereStop(stop))
          .executeTakeFirst()
      )?.standing
    for (const one of [own, error, kept]) expect(await standing(one)).toBe('provisional')
    const end = ({ stop }: { stop: StopId }) =>
      endElsewhere(both.hub.parts, { stop: elsewhereStop(stop), by: 'desk' })
    const nobody = { stop: error.stop, outcome: 'nobody', elsewhere: true, by: 'desk' } as const
    for (const second of [{}, { approvedBy: 'desk' }])
      await expect(register.settleNameStop({ ...nobody, ...second })).rejects.toMatchObject({
        refusal: { place: 'approvedBy' },
      })
    await register.settleNameStop({ ...nobody, approvedBy: 'office' })
    await register.settleNameStop({ stop: kept.stop, outcome: 'nobody', by: 'desk' })
    both.write('Patient.ndjson', [person('0001', '1948-05-03')])
    await both.agent.gather()
    const patient = patientKey(FACILITY, '0001')
    await register.settleNameStop({ stop: own.stop, outcome: 'found', patient, by: 'desk' })
    await both.talk()
    await expect(end(own)).rejects.toMatchObject({ refusal: { place: 'withdrawal' } })
    both.hub.env.pass(3_600_000)
    await register.withdrawStop({
      ...{ stop: own.stop, elsewhere: true, requester: 'person', identityCheck: 'document', by: 'desk' },
    })
    await both.talk()
    for (const one of [own, error]) await end(one)
    await expect(end(kept)).rejects.toMatchObject({ refusal: { place: 'withdrawal' } })
    expect([await standing(own), await standing(error), await standing(kept)]).toEqual([
      'withdrawn',
      'undone',
      'provisional',
    ])
  } finally {
    await both.close()
  }
})
