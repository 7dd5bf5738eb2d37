import { RULES, rulesHash, type RuleFile } from '@kakehashi/protocol/rules/rule-file'
import { afterEach, expect, test } from 'vitest'
import { patientState } from '../hospital.fixture.ts'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { approveRules, proposeRules, rulesHistory } from './rules-change.ts'

const worlds: HubWorld[] = []
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.close()
})
async function world(): Promise<HubWorld> {
  const hub = await hubWorld('2026-06-20T10:00:00+09:00')
  worlds.push(hub)
  return hub
}

const DAY = 24 * 3600 * 1000
const longer = (more: Partial<RuleFile> = {}): RuleFile => ({
  ...structuredClone(RULES[0]!),
  version: '2026-06-22.hub',
  effectiveFrom: '2026-06-22',
  waitDaysMin: 90,
  ...more,
})

test('R53 the second gate judges by a rule file that two people approved, from its first day on', async () => {
  const hub = await world()
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  const codes = async (): Promise<string[] | undefined> => {
    const sent = await hand.send(hand.content(patientState(hand.facility, '0001')))
    await hub.vault.round()
    return (await hand.receiptOf(sent.header.batch))?.refusals.map((one) => one.code)
  }
  const { hash } = await proposeRules(hub.ops, { rules: longer(), by: 'staff-a' })
  expect(hash).toBe(rulesHash(longer()))
  await expect(approveRules(hub.ops, { hash, by: 'staff-a' })).rejects.toMatchObject({
    refusal: { code: 'NOT_ALLOWED', place: 'approvedBy' },
  })
  await approveRules(hub.ops, { hash, by: 'staff-b' })
  expect(await codes()).toEqual([])
  hub.env.pass(3 * DAY)
  expect(await codes()).toEqual(['WAITING'])
  expect(
    (await rulesHistory(hub.ops.db)).map((v) => [v.version, v.standing, v.proposedBy, v.approvedBy]),
  ).toEqual([
    [RULES[0]!.version, 'built-in', null, null],
    ['2026-06-22.hub', 'approved', 'staff-a', 'staff-b'],
  ])
  const leaves = await hub.ops.db.selectFrom('audit_leaf').select('leaf').orderBy('seq').execute()
  const said = leaves.map(
    ({ leaf }) => JSON.parse(new TextDecoder().decode(leaf)) as { act: string; actor: string },
  )
  expect(said.filter(({ act }) => act.startsWith('rules.')).map(({ act, actor }) => [act, actor])).toEqual([
    ['rules.proposed', 'staff-a'],
    ['rules.approved', 'staff-b'],
  ])
})

test('R53 what is only proposed decides nothing; a file of today or looser than the guide is refused and kept nowhere', async () => {
  const hub = await world()
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  await proposeRules(hub.ops, { rules: longer(), by: 'staff-a' })
  for (const [rules, place] of [
    [longer({ version: '2026-06-20.hub', effectiveFrom: '2026-06-20' }), 'effectiveFrom'],
    [longer(), 'version'],
    [longer({ version: '2026-06-23.hub', waitDaysMin: 29 }), 'rules waitDaysMin'],
    [{ ...longer({ version: '2026-06-24.hub' }), extra: 1 }, 'rules file'],
  ] as const)
    await expect(proposeRules(hub.ops, { rules, by: 'staff-a' })).rejects.toMatchObject({
      refusal: { place },
    })
  expect(await hub.ops.db.selectFrom('rules_step').selectAll().execute()).toHaveLength(1)
  hub.env.pass(3 * DAY)
  const sent = await hand.send(hand.content(patientState(hand.facility, '0001')))
  await hub.vault.round()
  expect(await hand.receiptOf(sent.header.batch)).toMatchObject({ outcome: 'accepted' })
  const late = rulesHash(longer())
  await expect(approveRules(hub.ops, { hash: late, by: 'staff-b' })).rejects.toMatchObject({
    refusal: { place: 'effectiveFrom' },
  })
})
