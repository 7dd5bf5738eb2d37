import { takeSurvey } from '@kakehashi/agent/office/survey'
import { turningSixteen } from '@kakehashi/agent/register/work-list'
import { expect, test } from 'vitest'
import { chart, DAY, openScheme, pass, person, ready, result, world } from './agent-world.ts'
import { onList } from './owed-lists.ts'

/** LAW R4–R6, R9: who is owed a notice, and why; and what needs two people. */

test('R4 T5 long-time patients: whoever was seen and never notified is on the list, whenever that was', async () => {
  using w = await ready()
  w.write('Patient.ndjson', [person('0001'), person('0008'), person('0009', '1930-01-01')])
  await w.agent.gather()
  expect(await onList(w.agent.context)).toMatchObject(
    ['0008', '0009'].map((n) => ({
      patient: chart(n),
      owed: [{ why: 'first', recipient: 'person', version: 1, items: [], by: null, overdue: false }],
      noLetter: false,
    })),
  )
})

test('R5 guardian as well: the list says which of the two is missing', async () => {
  using w = await ready()
  w.write('Patient.ndjson', [
    person('0007', '2015-05-05'),
    person('0008', '2015-05-05'),
    person('0009', '2015-05-05'),
  ])
  await w.agent.gather()
  const { register } = w.agent
  await register.recordNotice({ patient: chart('0008'), by: 'desk' })
  await register.recordNotice({ patient: chart('0009'), by: 'desk', recipients: ['person', 'guardian'] })
  expect((await onList(w.agent.context)).map((line) => line.owed.map((o) => [o.why, o.recipient]))).toEqual([
    [
      ['first', 'person'],
      ['first', 'guardian'],
    ],
    [['other-missing', 'guardian']],
  ])
})

test('R6 T17 turned 16, capacity back: on the list from that day, prepared a month before, off it once notified', async () => {
  using w = await ready()
  w.write('Patient.ndjson', [person('0007', '2010-06-01'), person('0008')])
  await w.agent.gather()
  const { register, context } = w.agent
  await register.recordNotice({ patient: chart('0007'), by: 'desk', recipients: ['person', 'guardian'] })
  await register.recordNotice({ patient: chart('0008'), by: 'desk', recipients: ['person', 'guardian'] })
  await register.judgeCapacity({
    patient: chart('0008'),
    capacity: 'unable',
    ground: '意識障害',
    by: 'nurse',
  })
  expect(await turningSixteen(context)).toEqual([chart('0007')])
  expect(await onList(context)).toEqual([])
  expect(await onList(context, 'ask-capacity')).toMatchObject([{ patient: chart('0008') }])
  await register.judgeCapacity({
    patient: chart('0008'),
    capacity: 'unable',
    judgedBy: 'dr-1',
    askAgainOn: '2026-06-10',
    by: 'nurse',
  })
  expect(await onList(context, 'ask-capacity')).toEqual([])
  await pass(w, 26 * DAY)
  expect(await onList(context, 'owed-turned-16')).toMatchObject([
    { patient: chart('0007'), owed: [{ why: 'turned-16', recipient: 'person' }] },
  ])
  await pass(w, 10 * DAY)
  expect(await onList(context, 'ask-capacity')).toHaveLength(1)
  await register.judgeCapacity({ patient: chart('0008'), capacity: 'able', by: 'nurse' })
  expect(await onList(context, 'owed-capacity-back')).toMatchObject([{ patient: chart('0008') }])
  for (const n of ['0007', '0008']) {
    w.clock.now += 1000
    await register.recordNotice({ patient: chart(n), by: 'desk' })
  }
  expect(await onList(context)).toEqual([])
})

test('R9 the list counts everybody and leaves out who stopped or died, and who is one person with somebody notified', async () => {
  using w = await world()
  const numbers = Array.from({ length: 230 }, (_, i) => String(i + 1).padStart(4, '0'))
  w.write(
    'Patient.ndjson',
    numbers.map((n) => person(n)),
  )
  w.write('Observation.ndjson', [result('0001', 'o1')])
  await openScheme(w)
  await w.agent.gather()
  const { register, context } = w.agent
  await register.recordStop({ patient: chart('0003'), by: 'desk' })
  await register.recordDeath({ patient: chart('0004'), deceasedOn: '2026-03-30', by: 'desk' })
  await register.mergeCharts({ patient: chart('0005'), other: chart('0006'), certain: true, by: 'office' })
  await register.recordNotice({ patient: chart('0006'), by: 'desk' })
  const without = new Set(['0003', '0004', '0005', '0006'].map(chart))
  const { people, lists } = await takeSurvey(context)
  expect(people).toBe(230)
  expect(lists.get('owed-first')).toEqual(numbers.map(chart).filter((one) => !without.has(one)))
  expect([lists.get('overdue'), lists.get('ask-capacity')]).toEqual([undefined, undefined])
})

test('T21 R22 died inside the period: recorded at the desk, held until the review, and taken back when it was an error', async () => {
  using w = await ready()
  const { register } = w.agent
  await register.recordDeath({ patient: chart('0001'), deceasedOn: '2026-04-20', by: 'desk' })
  expect((await w.agent.dryRun()).reasons).toMatchObject([{ code: 'HOLD_DEATH', patients: 1 }])
  await w.agent.gather({ full: true })
  expect((await w.agent.dryRun()).reasons).toMatchObject([{ code: 'HOLD_DEATH', patients: 1 }])
  await register.clearHold({ patient: chart('0001'), reason: 'death-review', by: 'office' })
  expect((await w.agent.dryRun()).open.patients).toBe(3)
  await register.recordDeath({ patient: chart('0002'), deceasedOn: '2026-03-20', by: 'desk' })
  expect((await w.agent.dryRun()).reasons).toMatchObject([{ code: 'DIED_BEFORE_NOTICE', patients: 1 }])
  await register.recordDeath({ patient: chart('0002'), deceasedOn: null, by: 'desk' })
  expect((await w.agent.dryRun()).open.patients).toBe(3)
  await expect(
    register.recordDeath({ patient: chart('0002'), deceasedOn: '2099-01-01', by: 'desk' }),
  ).rejects.toMatchObject({ refusal: { place: 'deceasedOn' } })
})

test('T28 un-merge takes two people, and the vault learns that the stop never was the other chart’s', async () => {
  using w = await ready()
  const { register } = w.agent
  await register.recordStop({ patient: chart('0002'), by: 'desk' })
  await register.mergeCharts({ patient: chart('0001'), other: chart('0002'), certain: true, by: 'office' })
  expect((await w.agent.dryRun()).open.patients).toBe(1)
  const apart = { patient: chart('0001'), other: chart('0002'), by: 'office' }
  await expect(register.unmergeCharts({ ...apart, approvedBy: 'office' })).rejects.toMatchObject({
    refusal: { place: 'approvedBy' },
  })
  await register.unmergeCharts({ ...apart, approvedBy: 'officer' })
  expect((await w.agent.dryRun()).open.patients).toBe(2)
  await w.agent.exchange()
  const ended = (await w.vault.hear(w.agent)).filter((said) => said.type === 'stop-withdrawn-reported')
  expect(ended).toMatchObject([{ patients: [chart('0001')], undone: true }])
})
