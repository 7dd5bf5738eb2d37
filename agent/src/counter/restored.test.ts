import { facilityId, patientKey } from '@kakehashi/protocol/ids'
import { expect, test } from 'vitest'
import { dropForRestore } from '../outbox/restore.ts'
import { patientStateOf } from '../register/read.ts'
import { Clerk, hospital } from './world.fixture.ts'

test('R3 put back from a backup: the desk is told why nothing is sent, and notices are recorded as ever', async () => {
  const { app, context } = await hospital()
  await dropForRestore(context)
  const clerk = new Clerk(app)
  await clerk.signIn()
  const path = await clerk.open('00123456')
  await clerk.post(`${path}/notice`, { to: 'person' })
  const page = await clerk.get(path)
  expect(page.text).toContain('停止の一覧が届くまで何も送りません。')
  expect(page.text).not.toContain('早くて')
  const { notices } = await patientStateOf(context.store.db, patientKey(facilityId('midori'), '00123456'))
  expect(notices).toHaveLength(1)
})
