import { facilityId, patientKey } from '@kakehashi/protocol/ids'
import { expect, test } from 'vitest'
import { PURPOSES } from '@kakehashi/protocol/notice-content'
import { publishNotice } from '../register/flow.ts'
import { patientStateOf } from '../register/read.ts'
import { openSlips } from '../register/slip.ts'
import { Clerk, hospital, NOTICE } from './world.fixture.ts'

const HANAKO = patientKey(facilityId('midori'), '00123456')

async function stopped() {
  const place = await hospital()
  const clerk = new Clerk(place.app)
  await clerk.signIn()
  const path = await clerk.open('123456')
  await clerk.post(`${path}/stop`, { who: 'person', how: 'card' })
  const base = `${path}/slip/${clerk.path.split('/').at(-1)}`
  const open = async () => (await openSlips(place.context.store.db, place.clock.now)).length
  return { ...place, clerk, path, base, open }
}

test('R14 T24 electronic only after a consent recorded before; else paper', async () => {
  const { clerk, base, open } = await stopped()
  expect((await clerk.post(`${base}/handed`, { how: 'electronic' })).status).toBe(409)
  expect((await clerk.get(`${base}/file`)).status).toBe(404)
  expect(await open()).toBe(1)
  const agreed = await clerk.post(`${base}/agree`, { agreed: 'yes' })
  expect(agreed.text).toContain('電子で受け取る同意を記録しました。')
  await clerk.post(`${base}/agree`, { agreed: 'no' })
  expect((await clerk.post(`${base}/handed`, { how: 'electronic' })).status).toBe(409)
  await clerk.post(`${base}/agree`, { agreed: 'yes' })
  const issued = await clerk.post(`${base}/handed`, { how: 'electronic' })
  expect(issued.text).toContain('に電子で渡しました')
  expect(await open()).toBe(0)
  const file = await clerk.get(`${base}/file`)
  expect(file.headers.get('content-disposition')).toMatch(/^attachment; filename="kakuninsho-[\w-]+\.html"$/)
  expect(file.text).toContain('提供停止の求めの確認書')
  expect(file.text).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/)
})

test('R13 by post: only to the address named now; the task is closed with how it went', async () => {
  const { clerk, base, open } = await stopped()
  await clerk.post(`${base}/handed`, { how: 'posted' })
  expect(await open()).toBe(0)
  expect((await clerk.get(base)).text).toContain('に郵送しました')
  expect((await clerk.post(`${base}/handed`, { how: 'by bird' })).status).toBe(409)
})

test('R12 R20 whoever has no right of their own stops provisionally; confirmed later; erasure can be asked after', async () => {
  const place = await hospital()
  const clerk = new Clerk(place.app)
  await clerk.signIn()
  const path = await clerk.open('123456')
  const page = await clerk.post(`${path}/stop`, { who: 'agent', how: 'document', relation: '甥' })
  expect(page.text).toContain('仮の停止です。提供は止まっています。')
  const standing = async () => (await patientStateOf(place.context.store.db, HANAKO)).stops[0]?.standing
  expect(await standing()).toBe('provisional')
  const stop = clerk.path.split('/').at(-1) ?? ''
  expect((await clerk.post(`${path}/confirm-stop`, { stop: 'another' })).status).toBe(404)
  await clerk.post(`${path}/confirm-stop`, { stop })
  expect(await standing()).toBe('confirmed')
  const asked = await clerk.post(`${path}/erasure`, { stop })
  expect(asked.text).toContain('削除の求めを記録しました')
  const up = await place.context.store.db.selectFrom('audit_leaf').select('leaf').execute()
  expect(up.map((one) => new TextDecoder().decode(one.leaf)).join()).toContain('erasure.asked')
})

test('R18 where both tracks are notified one may be stopped alone, and the slip says which', async () => {
  const place = await hospital()
  const clerk = new Clerk(place.app)
  await clerk.signIn()
  const path = await clerk.open('123456')
  expect((await clerk.get(`${path}/stop`)).text).not.toContain('name="scope"')
  const content = { ...NOTICE, track: 'PSEUDO', purpose: PURPOSES.PSEUDO } as const
  await publishNotice(place.context, { content, by: 'admin' })
  expect((await clerk.get(`${path}/stop`)).text).toMatch(/name="scope"\s+value="all"\s+checked/)
  expect((await clerk.post(`${path}/stop`, { who: 'person', how: 'card', scope: 'some' })).status).toBe(422)
  await clerk.post(`${path}/stop`, { who: 'person', how: 'card', scope: 'PSEUDO' })
  const [stop] = (await patientStateOf(place.context.store.db, HANAKO)).stops
  expect(stop?.tracks).toEqual(['PSEUDO'])
  const slip = (await clerk.get(`${path}/slip/${stop?.stop}`)).text
  expect(slip).toContain('仮名加工医療情報のための提供だけ')
  expect(slip).not.toContain('匿名加工・仮名加工の両方')
})

test('R11 T12 where both tracks are notified the second is given and recorded apart, on a paper of its own; no more to press otherwise', async () => {
  const place = await hospital()
  const clerk = new Clerk(place.app)
  await clerk.signIn()
  const path = await clerk.open('123456')
  expect((await clerk.get(path)).text).not.toMatch(/name="track"|仮名加工の通知も/)
  const content = { ...NOTICE, track: 'PSEUDO', purpose: PURPOSES.PSEUDO } as const
  await publishNotice(place.context, { content, by: 'admin' })
  const form = (await clerk.get(path)).text
  expect(form.match(/name="track" value="PSEUDO"/g)).toHaveLength(1)
  expect((await clerk.post(`${path}/notice`, { to: 'person', track: 'BOTH' })).status).toBe(409)
  const paper = await clerk.post(`${path}/notice`, { to: 'person', track: 'PSEUDO' })
  expect(paper.text).toContain(PURPOSES.PSEUDO.slice(0, 20))
  const tracks = async () =>
    (await patientStateOf(place.context.store.db, HANAKO)).notices.map((one) => one.track)
  expect(await tracks()).toEqual(['PSEUDO'])
  const after = (await clerk.get(path)).text
  expect(after).toContain('まだ通知していません。')
  expect(after).toMatch(/通知（仮名加工）[^済ま]*済/)
  await clerk.post(`${path}/notice`, { to: 'person' })
  expect(await tracks()).toEqual(['PSEUDO', 'ANON'])
  expect((await clerk.get(path)).text).not.toContain('まだ通知していません。')
})
