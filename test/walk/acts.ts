import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stopAtPortal } from './desk.ts'
import { HUB, runToEnd } from './program.ts'
import type { House, Scene } from './scene.ts'
import { done, rowsOf, until } from './stage.ts'

/** One patient in ten was not at a counter yet: nobody handed them the paper. */
const NOT_YET_EVERY = 10

function agentRows<T>(house: House, query: string, ...parameters: string[]): T[] {
  return rowsOf<T>(join(house.agent.dir, 'agent.sqlite'), query, ...parameters)
}

function vaultRows<T>(scene: Scene, query: string, ...parameters: string[]): T[] {
  return rowsOf<T>(join(scene.hub.dir, 'vault', 'ops.sqlite'), query, ...parameters)
}

function count(rows: { n: number }[]): number {
  return Number(rows[0]?.n ?? 0)
}

function accepted(scene: Scene, house: House): number {
  return count(
    vaultRows(scene, 'SELECT coalesce(sum(accepted), 0) AS n FROM batch WHERE facility = ?', house.facility),
  )
}

export async function open(scene: Scene): Promise<void> {
  const { tell } = scene
  tell.step(
    '認定事業者が始める (the operator starts: gateway, portal and vault, three processes, three stores)',
  )
  await scene.layHub()
  tell.say(`gateway ${scene.hub.url}   portal ${scene.hub.portalUrl}   vault: no port for others`)
  tell.step('三つの医療機関が登録する (three hospitals enrol with one-time codes; keys are made on site)')
  const of = await scene.layHospitals()
  tell.say(`data: ${of}`)
  for (const house of scene.houses) {
    const gathered = () =>
      count(agentRows(house, 'SELECT count(*) AS n FROM patient_index')) === house.persons.size
    await until(`${house.facility} read its source`, gathered, 120)
  }
  tell.say(`today is ${scene.today()} in Tokyo; nobody has been notified. A dry run at each hospital:`)
  for (const house of scene.houses) tell.reasons(house.name, await scene.dryRun(house))
}

export async function notify(scene: Scene): Promise<void> {
  const { tell } = scene
  tell.step('窓口で通知書を渡す (notices are handed over at the counters, one tap each)')
  await scene.signIn()
  const given = await Promise.all(scene.houses.map((house) => noticesAt(scene, house)))
  for (const [k, house] of scene.houses.entries())
    tell.say(
      `${house.name}: ${given[k]} of ${house.persons.size} patients were given the paper; the others did not come`,
    )
  for (const house of scene.houses) tell.reasons(house.name, await scene.dryRun(house))
}

async function noticesAt(scene: Scene, house: House): Promise<number> {
  let given = 0
  for (const [n, number] of [...house.persons.keys()].toSorted().entries()) {
    if (n % NOT_YET_EVERY === NOT_YET_EVERY - 1) continue
    scene.papers.set(`${house.facility}/${number}`, await house.desk.giveNotice(number))
    given++
  }
  return given
}

export async function wait(scene: Scene): Promise<void> {
  const { tell } = scene
  tell.step('待つ (the waiting period; first day excluded, Asia/Tokyo)')
  await scene.pass(30)
  tell.say(`${scene.today()}: day 30. Would leave: ${await wouldLeave(scene)} patients`)
  await scene.pass(1)
  tell.say(`${scene.today()}: day 31. Would leave: ${await wouldLeave(scene)} patients`)
}

async function wouldLeave(scene: Scene): Promise<number> {
  const runs = await Promise.all(scene.houses.map((house) => scene.dryRun(house)))
  return runs.reduce((n, run) => n + run.open.patients, 0)
}

export async function send(scene: Scene): Promise<void> {
  const { tell } = scene
  tell.step('送る (sealed, signed batches; the vault opens them and asks the gate again)')
  const began = performance.now()
  for (const house of scene.houses) {
    const { open: expected } = await scene.dryRun(house)
    await until(`${house.facility} is received`, () => accepted(scene, house) >= expected.records, 180)
    const [batch] = vaultRows<{ batches: number; bytes: number; refused: number }>(
      scene,
      'SELECT count(*) AS batches, coalesce(sum(size), 0) AS bytes, coalesce(sum(refused), 0) AS refused FROM batch WHERE facility = ?',
      house.facility,
    )
    tell.say(
      `${house.name}: ${accepted(scene, house)} of ${expected.records} records accepted, ${batch?.refused} refused, ` +
        `${batch?.batches} batches, ${((batch?.bytes ?? 0) / 1e6).toFixed(1)} MB sealed`,
    )
  }
  tell.say(`in ${((performance.now() - began) / 1000).toFixed(1)} s from the first look`)
}

export async function stop(scene: Scene): Promise<void> {
  const { tell } = scene
  const [first, , third] = scene.houses
  if (!first || !third) throw new Error('three hospitals are needed')
  tell.step('止める (a stop by word of mouth at the counter, and one at home with the paper)')
  await scene.signIn()
  const [atCounter, other] = notified(scene, first)
  const [atHome] = notified(scene, third).slice(3)
  if (!atCounter || !other || !atHome) throw new Error('too few patients for the demonstration')
  const slip = await first.desk.stop(atCounter, 'no')
  tell.say(`${first.name}の窓口: in force when the page said so; confirmation slip ${slip} printed (Art. 53)`)
  const receipt = await stopAtPortal(
    scene.hub.portalUrl,
    scene.papers.get(`${third.facility}/${atHome}`) ?? '',
    'yes',
  )
  tell.say(
    `ポータル: receipt ${receipt}, erasure of what was given asked too; the portal could not tell whose paper it was`,
  )
  await until('the hub knows of the stop at the counter', () => stopped(scene, first, atCounter), 30)
  await until('the hospital knows of the stop at the portal', () => stoppedAtAgent(third, atHome), 30)
  tell.say(`both are known on both sides: at the vault's gate and in the register of ${third.name}`)
  const before = accepted(scene, first)
  for (const number of [atCounter, other]) addResult(first, number)
  await until('the new result of the other patient arrives', () => accepted(scene, first) > before, 60)
  const { reasons } = await scene.dryRun(first)
  const held = reasons.find((r) => r.code === 'STOPPED')
  tell.say(
    `two new results were written: ${accepted(scene, first) - before} arrived; STOPPED holds ${held?.records ?? 0} records of ${held?.patients ?? 0} patient`,
  )
  if (accepted(scene, first) - before !== 1) throw new Error('a stopped patient was sent')
  scene.erased = `${third.facility}/${atHome}`
}

function notified(scene: Scene, house: House): string[] {
  const open = [...scene.papers.keys()].filter((key) => key.startsWith(`${house.facility}/`))
  return open.map((key) => key.slice(house.facility.length + 1))
}

function stopped(scene: Scene, house: House, number: string): boolean {
  return (
    count(
      vaultRows(
        scene,
        'SELECT count(*) AS n FROM stop_chart WHERE patient = ?',
        `${house.facility}/${number}`,
      ),
    ) > 0
  )
}

function stoppedAtAgent(house: House, number: string): boolean {
  const query = "SELECT count(*) AS n FROM register_event WHERE type = 'stop-asked' AND patient = ?"
  return count(agentRows(house, query, `${house.facility}/${number}`)) > 0
}

function addResult(house: House, number: string): void {
  const result = {
    resourceType: 'Observation',
    id: `late-${number}`,
    status: 'final',
    code: { coding: [{ system: 'urn:oid:1.2.392.200119.4.504', code: '3D010000001926101' }] },
    subject: { reference: `Patient/${number}` },
    effectiveDateTime: '2026-05-02T09:00:00+09:00',
    valueQuantity: { value: 6.1, unit: '%' },
  }
  appendFileSync(join(house.folder, 'Observation.ndjson'), `${JSON.stringify(result)}\n`)
}

export async function erase(scene: Scene): Promise<void> {
  const { tell } = scene
  tell.step('消す (erasure: identity, links, content, unreleased builds; keys destroyed; a certificate)')
  const patient = scene.erased ?? ''
  const row = () =>
    vaultRows<{ certificate: string | null; state: string }>(
      scene,
      "SELECT certificate, state FROM erasure WHERE state = 'done' ORDER BY asked_at DESC LIMIT 1",
    )[0]
  await until('the erasure is done', () => row()?.certificate?.includes('"signature"') === true, 90)
  const file = join(scene.dir, 'certificate.json')
  writeFileSync(file, row()?.certificate ?? '')
  const { core } = JSON.parse(row()?.certificate ?? '{}') as Certificate
  for (const { place, count: removed } of core.places)
    tell.say(`${place.padEnd(24)} ${String(removed).padStart(6)} removed`)
  tell.say(
    `${core.keysDestroyed.length} key(s) destroyed: older copies of what they sealed cannot be read either`,
  )
  const said = await done(
    runToEnd(HUB, ['verify', '--dir', scene.hub.dir, '--certificate', file], { shiftMs: scene.shiftMs }),
  )
  for (const line of said.out.trim().split('\n')) tell.say(line)
  if (count(vaultRows(scene, 'SELECT count(*) AS n FROM admitted_version WHERE patient = ?', patient)) > 0)
    throw new Error('the erased patient is still in the vault')
}

interface Certificate {
  core: { places: { place: string; count: number }[]; keysDestroyed: string[] }
}
