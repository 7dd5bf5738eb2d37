import { readFileSync } from 'node:fs'
import { rulesHistory } from '@kakehashi/agent/register/rules-change'
import { RULES, rulesAt, rulesHash, type RuleFile } from '@kakehashi/protocol/rules/rule-file'
import { RULE_FILE } from '@kakehashi/protocol/rule-file-shape'
import { expect, test } from 'vitest'
import { DAY, pass, ready } from './agent-world.ts'
import { jst } from './register.ts'

/** R53: the values of LAW §10 are dated, changed by two people, and every decision names the version it was made under. */

const [BUILT_IN] = RULES
const longer = (more: Partial<RuleFile> = {}): RuleFile => ({
  ...structuredClone(BUILT_IN!),
  version: '2026-06-01.1',
  effectiveFrom: '2026-06-01',
  waitDaysMin: 60,
  ...more,
})

test('R53 a rule file is proposed by one person and approved by another, before its first day', async () => {
  using w = await ready()
  const { register, context } = w.agent
  const { hash } = await register.proposeRules({ rules: longer(), by: 'officer-a' })
  expect(hash).toBe(rulesHash(longer()))
  const approve = (by: string) => register.approveRules({ hash, by })
  await expect(approve('officer-a')).rejects.toMatchObject({ refusal: { place: 'approvedBy' } })
  await pass(w, 27 * DAY)
  await w.agent.tick()
  expect(context.rulesAt(w.clock.now).version).toBe(BUILT_IN!.version)
  await expect(approve('officer-b')).rejects.toMatchObject({ refusal: { place: 'effectiveFrom' } })
  const later = longer({ version: '2026-07-01.1', effectiveFrom: '2026-07-01' })
  const second = await register.proposeRules({ rules: later, by: 'officer-b' })
  await register.approveRules({ hash: second.hash, by: 'officer-a' })
  await w.agent.tick()
  expect((await w.agent.dryRun()).open.patients).toBe(3)
  await pass(w, 29 * DAY)
  await w.agent.tick()
  expect(await w.agent.dryRun()).toMatchObject({ ruleVersion: '2026-07-01.1', open: { patients: 3 } })
  expect(
    (await rulesHistory(w.store.db)).map((v) => [v.version, v.standing, v.proposedBy, v.approvedBy]),
  ).toEqual([
    [BUILT_IN!.version, 'built-in', null, null],
    ['2026-06-01.1', 'proposed', 'officer-a', null],
    ['2026-07-01.1', 'approved', 'officer-b', 'officer-a'],
  ])
  await w.restart()
  expect(w.agent.context.rulesAt(w.clock.now).version).toBe('2026-07-01.1')
  const leaves = await w.store.db.selectFrom('audit_leaf').select('leaf').execute()
  const acts = leaves.map((leaf) => JSON.parse(new TextDecoder().decode(leaf.leaf)).act as string)
  expect(acts.filter((act) => act.startsWith('rules.'))).toEqual([
    'rules.proposed',
    'rules.proposed',
    'rules.approved',
  ])
})

test('R53 an approved file decides: from its day on the longer wait holds, for who was notified lately', async () => {
  using w = await ready()
  const { register } = w.agent
  const { hash } = await register.proposeRules({ rules: longer({ waitDaysMin: 90 }), by: 'officer-a' })
  await register.approveRules({ hash, by: 'officer-b' })
  await w.agent.tick()
  expect((await w.agent.dryRun()).open.patients).toBe(3)
  await pass(w, 27 * DAY)
  await w.agent.tick()
  expect(await w.agent.dryRun()).toMatchObject({
    ruleVersion: '2026-06-01.1',
    reasons: [{ code: 'WAITING', patients: 3 }],
  })
})

test('R53 R7 no file may shorten the wait, begin in the past, bear a used version or say what is not known', async () => {
  using w = await ready()
  const propose = (rules: unknown) => w.agent.register.proposeRules({ rules, by: 'officer-a' })
  const refused: [unknown, string][] = [
    [longer({ waitDaysMin: 29 }), 'rules waitDaysMin'],
    [longer({ ownNoticeAge: 15 }), 'rules ownNoticeAge'],
    [longer({ noticeBeforeChange: ['iv', 'v', 'vii'] }), 'rules noticeBeforeChange'],
    [longer({ operatorStatusAgeMs: 8 * DAY }), 'rules operatorStatusAgeMs'],
    [longer({ clockBackstepMs: DAY }), 'rules clockBackstepMs'],
    [longer({ effectiveFrom: '2026-05-06' }), 'effectiveFrom'],
    [longer({ effectiveFrom: '2026-02-30' }), 'rules effectiveFrom'],
    [longer({ version: BUILT_IN!.version }), 'version'],
    [{ ...longer(), kindness: true }, 'rules file'],
    [{ ...longer(), slipInNameOf: 'operator' }, 'rules slipInNameOf'],
    ['text', 'rules file'],
  ]
  for (const [rules, place] of refused)
    await expect(propose(rules)).rejects.toMatchObject({ refusal: { place } })
  expect(RULE_FILE.safeParse(BUILT_IN).success).toBe(true)
})

test('R53 of approved and built-in files the latest begun decides, and of one day the one approved last', () => {
  const july = longer({ version: '2026-07-01.1', effectiveFrom: '2026-07-01' })
  const again = longer({ version: '2026-07-01.2', effectiveFrom: '2026-07-01' })
  const early = longer({ version: '2020-01-01.1', effectiveFrom: '2020-01-01' })
  const at = (day: string, files: RuleFile[]) => rulesAt(jst(day), files).version
  expect(at('2026-06-30 23:59', [july])).toBe(BUILT_IN!.version)
  expect(at('2026-07-01', [july])).toBe('2026-07-01.1')
  expect(at('2026-07-01', [july, again])).toBe('2026-07-01.2')
  expect(at('2026-07-01', [early])).toBe(BUILT_IN!.version)
})

test('R53 every row of LAW §10 has its values in the rule file, each of which is there, and who must confirm it', () => {
  const valueOf = (path: string): unknown =>
    path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], BUILT_IN)
  for (const { values, whoConfirms } of BUILT_IN!.unconfirmed) {
    expect(whoConfirms).not.toBe('')
    for (const path of values) expect([path, valueOf(path)]).not.toContain(undefined)
  }
  const named = new Set(BUILT_IN!.unconfirmed.flatMap((one) => one.values.map((path) => path.split('.')[0])))
  const technical = new Set([
    'version',
    'effectiveFrom',
    'disclaimer',
    'unconfirmed',
    'placeholderBirthDates',
    'ageYearsMax',
    'operatorStatusAgeMs',
    'clockBackstepMs',
  ])
  const silent = Object.keys(BUILT_IN!).filter((key) => !named.has(key) && !technical.has(key))
  expect(silent).toEqual([])
  expect(BUILT_IN!.unconfirmed).toHaveLength(19)
})

test('R53 the golden vectors carry exactly the rule file in force', () => {
  const vectors = JSON.parse(
    readFileSync(new URL('../../protocol/vectors/gate.json', import.meta.url), 'utf8'),
  ) as { rules: Record<string, RuleFile> }
  expect(rulesHash(vectors.rules[BUILT_IN!.version]!)).toBe(rulesHash(BUILT_IN!))
})
