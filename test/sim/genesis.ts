import { enrol } from '@kakehashi/agent/enrol'
import { sampleNotice } from '@kakehashi/agent/register/sample-notice'
import { newAgentKeys } from '@kakehashi/agent/keys'
import { newStoreKey } from '@kakehashi/hub/content/keys'
import { offerEnrolment } from '@kakehashi/hub/vault/enrolment'
import { declareOwnStatus } from '@kakehashi/hub/vault/opening'
import type { Instant } from '@kakehashi/protocol/env'
import { agentId, entityId, facilityId, filingId, operatorId, type FacilityId } from '@kakehashi/protocol/ids'
import { newBoxKey, newSigningKey } from '@kakehashi/protocol/signing'
import { DAY, dateOf, dayNumber } from './calendar.ts'
import { saysOneMonth } from './cast.ts'
import { Host } from './host.ts'
import {
  AgentNode,
  GatewayNode,
  PortalNode,
  VaultNode,
  type Hospital,
  type HubKeys,
  type Images,
} from './nodes.ts'
import { Prng } from './prng.ts'
import { ScriptedSource } from './source.ts'
import { World } from './world.ts'

export const FACILITIES: readonly FacilityId[] = [facilityId('hospital-a'), facilityId('hospital-b')]

/** A hub and two enrolled hospitals that have filed and published, before anybody was notified. */
export interface Genesis {
  start: Instant
  keys: HubKeys
  hospitals: Hospital[]
  images: Images
}

const kept = new Map<Instant, Promise<Genesis>>()

/** Made once per start, by the real enrolment and the real register, and kept as disk images: every seed begins there. */
export function genesisAt(start: Instant): Promise<Genesis> {
  const known = kept.get(start)
  if (known) return known
  const made = make(start)
  kept.set(start, made)
  return made
}

async function make(start: Instant): Promise<Genesis> {
  const world = new World(start - DAY)
  const random = new Prng(`genesis/${start}`)
  const host = (name: string): Host => new Host(name, world, random.fork(name))
  const env = host('keys').env()
  const signing = newSigningKey(env)
  const keys: HubKeys = {
    operator: { operator: operatorId('operator-x'), name: '認定事業者X', address: '東京都千代田区1-1' },
    gateway: newSigningKey(env),
    store: newStoreKey(env),
    vault: {
      box: newBoxKey(env),
      formerBoxes: [],
      signing,
      audit: newSigningKey(env),
      tombstone: env.random(32),
    },
  }
  const none: Images = new Map()
  const gateway = new GatewayNode(host('gateway'), keys, none, null)
  const portal = new PortalNode(host('portal'), keys, none, null)
  const vault = new VaultNode(host('vault'), keys, none, null, {
    gateway: (call) => gateway.handle(call),
    portal: (call) => portal.handle(call),
  })
  await gateway.boot()
  await portal.boot()
  await vault.boot()
  const hospitals: Hospital[] = []
  for (const facility of FACILITIES) hospitals.push(await found(facility, vault, gateway, keys, host))
  await vault.vault?.round()
  const nodes: AgentNode[] = []
  for (const hospital of hospitals) {
    const node = new AgentNode(
      host(hospital.facility),
      hospital,
      none,
      null,
      new ScriptedSource([], () => world.now),
      (r) => gateway.handle(r),
    )
    await node.boot()
    await open(node, keys, world)
    nodes.push(node)
  }
  await vault.vault?.round()
  for (const node of nodes) await node.agent?.exchange()
  await vault.vault?.round()
  const disks = [gateway.disk, portal.disk, vault.ops, vault.identity, ...nodes.map((node) => node.disk)]
  for (const one of [gateway.host, portal.host, vault.host, ...nodes.map((node) => node.host)]) one.kill()
  return { start, keys, hospitals, images: new Map(disks.map((disk) => [disk.name, disk.image()])) }
}

/** Enrols one hospital with a one-time code. */
async function found(
  facility: FacilityId,
  vault: VaultNode,
  gateway: GatewayNode,
  keys: HubKeys,
  host: (name: string) => Host,
): Promise<Hospital> {
  const env = host(`install-${facility}`).env()
  await declareOwnStatus(vault.store!, keys.operator.operator)
  const { code } = await offerEnrolment(vault.store!, { facility, by: 'staff-1', hours: 24 })
  await vault.vault?.round()
  const own = newAgentKeys(env, agentId(`agent-${facility}`))
  const wire = {
    request: (call: Parameters<GatewayNode['handle']>[0]) => gateway.handle(call),
    connect() {
      throw new Error('no socket')
    },
  }
  return { facility, keys: own, hub: await enrol(wire, own, facility, code) }
}

/** The legal person, the notice text and the filing, as the hospital's office records them. */
async function open(node: AgentNode, keys: HubKeys, world: World): Promise<void> {
  const register = node.agent!.register
  const { facility } = node.hospital
  const by = 'office-1'
  await register.recordEntity({
    entity: {
      entity: entityId(`entity-${facility}`),
      name: `医療法人 ${facility}`,
      address: '京都府京都市2-2',
      representative: '理事長 山本',
    },
    by,
  })
  world.now += 1000
  const { operator, name, address } = keys.operator
  await register.publishNotice({
    content: sampleNotice({
      track: 'ANON',
      handler: { name: `医療法人 ${facility}`, address: '京都府京都市2-2', representative: '理事長 山本' },
      facility: { name: facility, address: '京都府京都市2-2', phone: '075-000-0000' },
      operators: [{ operator, name, address, phone: '0120-000-000' }],
      plannedStart: dateOf(dayNumber(world.now)),
      saysOneMonth: saysOneMonth(facility),
    }),
    publishedAt: world.now - DAY,
    approvedBy: 'officer-1',
    by,
  })
  world.now += 1000
  const acceptedOn = dateOf(dayNumber(world.now))
  await register.acceptFiling({
    filing: {
      filing: filingId(`filing-${facility}`),
      track: 'ANON',
      templateVersion: 1,
      acceptedOn,
      endedOn: null,
    },
    by,
  })
  await node.agent!.exchange()
}
