import { finishErasures, knownCharts, replayErasures } from '../requests/erase.ts'
import { pullRequests } from '../requests/portal.ts'
import { replayStops } from '../requests/replay.ts'
import { stoppedLeaveBuilds } from '../requests/stop.ts'
import { answerAgents } from './answers.ts'
import { retireAtGateway, syncEnrolments } from './enrolment.ts'
import { pullAcks, pushOutbox } from './outbox.ts'
import type { VaultParts } from './parts.ts'
import { Peer } from './peer.ts'
import { expireQuarantine } from './quarantine.ts'
import { pullBatches, pullControls, type BatchRound } from './pull.ts'
import { sayDaily } from './daily.ts'

export interface Round {
  enrolled: number
  controls: number
  requests: number
  batches: BatchRound
  erased: number
  pushed: number
  acked: number
}

export interface Vault {
  /** Before anything is served: erasures and stops that a restored backup has forgotten are made again. */
  start(): Promise<{ replayed: number; stops: number }>
  /** One round of pulling and pushing. Throws when gateway or portal do not answer; the next round goes on. */
  round(): Promise<Round>
  /** Messages down only: after an act of staff that must not wait for the next round. */
  push(): Promise<number>
}

export function createVault(parts: VaultParts): Vault {
  const gateway = new Peer('gateway', parts.gateway, parts.keys.signing, parts.env)
  const portal = parts.portal ? new Peer('portal', parts.portal, parts.keys.signing, parts.env) : null
  return {
    async start() {
      const charts = await knownCharts(parts)
      const stops = await replayStops(parts, charts)
      return { replayed: await replayErasures(parts, charts), stops }
    },
    async round() {
      const enrolled = await syncEnrolments(parts, gateway)
      await retireAtGateway(parts, gateway)
      let requests = 0
      let controls = 0
      // a portal that is away may hold a stop, so that no batch goes in; what hospitals and staff say is heard and passed on
      const away: { error: Error | null } = { error: null }
      const catchUp = async (): Promise<void> => {
        away.error = null
        try {
          if (portal) requests += await pullRequests(parts, portal)
        } catch (error) {
          away.error = error instanceof Error ? error : new Error('portal')
        }
        controls += await pullControls(parts, gateway)
      }
      await catchUp()
      // what was heard is not said again
      let acked = await pullAcks(parts, gateway)
      await sayDaily(parts)
      await pushOutbox(parts, gateway)
      const batches =
        away.error === null
          ? await pullBatches(parts, gateway, async () => {
              await catchUp()
              if (away.error !== null) throw away.error
            })
          : { seen: 0, accepted: 0, refused: 0, waits: 0, more: false }
      await stoppedLeaveBuilds(parts)
      const erased = await finishErasures(parts)
      await expireQuarantine(parts.ops)
      await answerAgents(parts)
      const pushed = await pushOutbox(parts, gateway)
      acked += await pullAcks(parts, gateway)
      if (away.error !== null) throw away.error
      return { enrolled, controls, requests, batches, erased, pushed, acked }
    },
    push: () => pushOutbox(parts, gateway),
  }
}
