import { join } from 'node:path'
import { newSigningKey } from '@kakehashi/protocol/signing'
import { openDatabase } from '@kakehashi/store/sqlite'
import { createGateway, type Gateway } from '../gateway/gateway.ts'
import { openGatewayStore } from '../gateway/store.ts'
import { OPERATOR, testEnv } from '../hub.fixture.ts'
import { HospitalHand, patientState } from '../hospital.fixture.ts'
import { initHub } from '../init.ts'
import { offerEnrolment } from './enrolment.ts'
import { openVault, readVaultKeys, type OpenVault } from './opening.ts'
import { createVault } from './vault.ts'

/** A hub on disk, its gateway in this process. */
export async function houseOnDisk(dir: string, closing: (() => Promise<void>)[]) {
  const env = testEnv('2026-07-01T12:00:00+09:00')
  const { operator, name, address } = OPERATOR
  const asked = { dir, operator, name, address, phone: null, postgres: null, profile: 'trial' as const }
  initHub({ ...asked, gatewayPort: 1, portalPort: 2, consolePort: 3 }, env)
  const keys = readVaultKeys(join(dir, 'vault'), env.now())
  const store = await openGatewayStore(openDatabase(':memory:'), env)
  closing.push(() => store.close())
  const vault = { box: keys.box.public, signing: keys.signing.public }
  const gateway = createGateway({
    env,
    store,
    key: newSigningKey(env),
    operator: OPERATOR,
    vault,
    log: () => {},
  })
  return {
    env,
    gateway,
    open: () => openVault(dir, env, () => {}, { gateway: (c) => gateway.handle(c), portal: null }),
  }
}

/** One hospital that enrolled, declared itself and sent two patients. */
export async function hospital(vault: OpenVault, gateway: Gateway): Promise<HospitalHand> {
  const core = createVault(vault.parts)
  const offer = await offerEnrolment(vault.ops, { facility: 'hospital-a' as never, by: 'staff', hours: 1 })
  await core.round()
  const hand = await HospitalHand.enrol(vault.parts.env, gateway, 'hospital-a' as never, offer.code)
  await hand.declare()
  await hand.send(hand.content(patientState(hand.facility, '0001'), patientState(hand.facility, '0002')))
  const round = await core.round()
  if (round.batches.accepted !== 1) throw new Error('the first batch was not accepted')
  return hand
}
