import { openBatch } from '@kakehashi/protocol/envelope'
import { recordHash } from '@kakehashi/hub/content/partition'
import { facilityOf, type PatientKey, type StopHandle } from '@kakehashi/protocol/ids'
import type { BatchContent } from '@kakehashi/protocol/records'
import { sha256Hex, type BoxKey } from '@kakehashi/protocol/signing'
import { MINUTE } from './calendar.ts'
import type { Disk } from './disk.ts'
import { MARKER } from './source.ts'
import type { Truth } from './truth.ts'
import type { World } from './world.ts'

/** A hospital's clock may be this much ahead of true time without anybody noticing. */
const CLOCK_SLACK = 5 * MINUTE
/** How long a stop shown at the portal may take to reach the second gate: one round of the vault. */
export const PORTAL_LAG = 60 * MINUTE

interface Known {
  batch: string
  content: BatchContent
}

/**
 * Sees what crosses the walls (bytes that leave a hospital, acknowledgements that reach it) with the vault's key in its
 * hand, and holds it against what happened to the people.
 */
export class Watch {
  readonly #world: World
  readonly #truth: Truth
  readonly #box: BoxKey
  readonly #batches = new Map<string, Known>()

  constructor(world: World, truth: Truth, box: BoxKey) {
    this.#world = world
    this.#truth = truth
    this.#box = box
  }

  /** Bytes of this sealed batch are leaving the hospital now. Answers whose records they are. */
  bytesLeave(batch: string, whole: Uint8Array): PatientKey[] {
    const digest = sha256Hex(whole)
    let known = this.#batches.get(digest)
    if (!known) {
      known = { batch, content: openBatch(whole, this.#box) }
      this.#batches.set(digest, known)
    }
    const patients = patientsOf(known.content)
    for (const patient of patients) this.#mayLeave(patient)
    return patients
  }

  #mayLeave(patient: PatientKey): void {
    const { now } = this.#world
    const truth = this.#truth.of(patient)
    truth.leftAt = now
    const why = truth.mustStay(now, CLOCK_SLACK)
    if (why !== null) this.#world.violate('S1', `records left the hospital although ${why}`)
    if (truth.stoppedAt(now, (stop) => stop.where === 'counter'))
      this.#world.violate('S2', 'records left the hospital after a stop was confirmed at the counter')
    if (truth.heldAt(now)) this.#world.violate('S2', 'records left the hospital while the patient was held')
  }

  /** The papers a batch tells of as this chart's: by them the hub knows whom a stop at the portal means. */
  papersOf(patient: PatientKey, batch: string): ReadonlySet<StopHandle> {
    const told = [...this.#batches.values()]
      .filter((one) => one.batch === batch)
      .flatMap(({ content }) => content.evidence)
      .filter(({ state }) => state.patient.patient === patient)
    return new Set(told.flatMap(({ state }) => state.patient.handles))
  }

  /** How many different contents of each record were ever sent, by facility and record. */
  contentsSent(): Map<string, number> {
    const contents = new Map<string, Set<string>>()
    for (const { content } of this.#batches.values())
      for (const { key, patients, contentHash } of content.records) {
        const id = recordHash(facilityOf(patients[0]!), key)
        contents.set(id, (contents.get(id) ?? new Set()).add(contentHash))
      }
    return new Map([...contents].map(([id, hashes]) => [id, hashes.size]))
  }
}

function patientsOf(content: BatchContent): PatientKey[] {
  const all = [
    ...content.records.flatMap((r) => r.patients),
    ...content.tombstones.flatMap((t) => t.patients),
    ...content.evidence.map((e) => e.state.patient.patient),
  ]
  return [...new Set(all)].toSorted()
}

/** S6: the plaintext marker of the clinical records lies nowhere on this disk. */
export function marked(disk: Disk): boolean {
  return Buffer.from(disk.bytes()).includes(MARKER)
}
