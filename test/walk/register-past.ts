import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAgent, type Agent } from '@kakehashi/agent/agent'
import { readConfig } from '@kakehashi/agent/config'
import { connectorsOf } from '@kakehashi/agent/connectors'
import { installationAt, readHub, readInstalledKeys } from '@kakehashi/agent/installation'
import { sampleNotice } from '@kakehashi/agent/register/sample-notice'
import { openAgentStore } from '@kakehashi/agent/store/store'
import { systemEnv } from '@kakehashi/protocol/env'
import { entityId, facilityId, filingId, type PatientKey } from '@kakehashi/protocol/ids'
import { silentLog } from '@kakehashi/protocol/log'
import { addDays, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import { decide } from '@kakehashi/protocol/rules/decide'
import { rulesAt } from '@kakehashi/protocol/rules/rule-file'
import type { LocalDate } from '@kakehashi/protocol/rules/state'
import { DAY, type AgentStage } from './stage.ts'

/** Long enough for 30 days and any run of holidays after them. */
export const NOTICED_DAYS_AGO = 60

export interface Noticed {
  patients: PatientKey[]
  passedOver: PatientKey[]
}

/**
 * What an installed agent's staff did in the past, by the agent's own flows on a clock of then: the facility's facts
 * declared, the sources read once, and a notice handed to whom `wanted` says. The agent must not be running.
 */
export async function noticeInThePast(
  { dir, facility }: AgentStage,
  wanted: (patient: PatientKey, birthDate: LocalDate | null) => boolean = () => true,
): Promise<Noticed> {
  const at = installationAt(dir)
  const real = systemEnv()
  const env = { ...real, now: () => real.now() - NOTICED_DAYS_AGO * DAY }
  const store = await openAgentStore(at.store, env)
  try {
    const config = readConfig(readFileSync(at.config, 'utf8'))
    const agent = createAgent({
      env,
      store,
      keys: readInstalledKeys(at)!,
      hub: readHub(at)!,
      config: { facility: facilityId(facility), track: config.track },
      connectors: connectorsOf(config, store),
      decide,
      rulesAt,
      log: silentLog,
      wire: {
        request: () => Promise.reject(new Error('no line')),
        connect: () => ({ send() {}, close() {} }),
      },
    })
    await openScheme(agent)
    await agent.gather()
    return await hand(agent, wanted)
  } finally {
    await store.close()
  }
}

async function openScheme(agent: Agent): Promise<void> {
  const by = 'office'
  const now = agent.context.env.now()
  const { facility, hub, track } = agent.context
  await agent.register.recordEntity({
    by,
    entity: {
      entity: entityId(`entity-${facility}`),
      name: `医療法人${facility}`,
      address: '東京都新宿区1-1',
      representative: '緑 一郎',
    },
  })
  await agent.register.publishNotice({
    by,
    content: sampleNotice({
      track,
      handler: { name: `医療法人${facility}`, address: '東京都新宿区1-1', representative: '緑 一郎' },
      facility: { name: facility, address: '東京都新宿区1-1', phone: '03-0000-0000' },
      operators: [
        {
          operator: hub.operator,
          name: hub.operatorName,
          address: hub.operatorAddress,
          phone: '0120-000-000',
        },
      ],
      plannedStart: tokyoDate(now),
    }),
    publishedAt: now - 30 * DAY,
    approvedBy: 'officer',
  })
  await agent.register.acceptFiling({
    by,
    filing: {
      filing: filingId(`filing-${facility}`),
      track,
      templateVersion: 1,
      acceptedOn: addDays(tokyoDate(now), -10),
      endedOn: null,
    },
  })
}

async function hand(agent: Agent, wanted: Parameters<typeof noticeInThePast>[1]): Promise<Noticed> {
  const noticed: Noticed = { patients: [], passedOver: [] }
  const charts = await agent.context.store.db
    .selectFrom('patient_index')
    .select(['patient', 'birth_date'])
    .orderBy('patient')
    .execute()
  for (const { patient, birth_date } of charts as { patient: PatientKey; birth_date: LocalDate | null }[]) {
    if (!wanted!(patient, birth_date)) {
      noticed.passedOver.push(patient)
      continue
    }
    await agent.register.recordNotice({
      patient,
      by: 'desk',
      recipients: ['person', 'guardian'],
      relation: '父母',
    })
    noticed.patients.push(patient)
  }
  return noticed
}

/** Where the agent's published log lies, and its name. */
export function agentLog(stage: AgentStage): { dir: string; origin: string; key: Uint8Array } {
  const keys = readInstalledKeys(installationAt(stage.dir))!
  return {
    dir: join(stage.dir, 'audit'),
    origin: `kakehashi/agent/${stage.facility}/${keys.agent}`,
    key: keys.signing.public,
  }
}
