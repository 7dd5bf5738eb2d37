import { BATCH_PATIENTS_MAX, BATCH_RECORDS_MAX } from '@kakehashi/protocol/limits'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { recordKeyText, type Evidence, type SourceRecord, type Tombstone } from '@kakehashi/protocol/records'
import type { ItemClass } from '@kakehashi/protocol/rules/state'
import type { PatientDecision } from '../gate/flow.ts'

/** Plaintext aimed at: bounds memory, and lets a broken line lose little. One larger record travels alone. */
export const PACK_BYTES_AIM = 4 * 1024 * 1024
const RECORD_OVERHEAD_BYTES = 1024
const PATIENT_OVERHEAD_BYTES = 4096

export interface Packed {
  evidence: Evidence[]
  records: SourceRecord[]
  tombstones: Tombstone[]
  /** Item classes each patient gives in this batch. */
  items: Map<PatientKey, Set<ItemClass>>
  ruleVersion: string
}

/** Collects what goes into one batch until it is full. */
export class Pack {
  readonly #evidence = new Map<PatientKey, Evidence>()
  readonly #items = new Map<PatientKey, Set<ItemClass>>()
  readonly #records = new Map<string, SourceRecord>()
  readonly #tombstones = new Map<string, Tombstone>()
  #bytes = 0
  #ruleVersion = ''

  get empty(): boolean {
    return this.#records.size === 0 && this.#tombstones.size === 0
  }

  get nearlyFull(): boolean {
    return this.#bytes >= PACK_BYTES_AIM * 0.6 || this.#records.size >= BATCH_RECORDS_MAX / 2
  }

  /** Whether something of that size and those patients still fits. */
  fits(bytes: number, patients: number): boolean {
    if (this.empty) return true
    return (
      this.#bytes + bytes + RECORD_OVERHEAD_BYTES <= PACK_BYTES_AIM &&
      this.#records.size + this.#tombstones.size < BATCH_RECORDS_MAX &&
      this.#evidence.size + patients <= BATCH_PATIENTS_MAX
    )
  }

  #include(decisions: readonly PatientDecision[], decidedAt: number, item: ItemClass | null): void {
    for (const decision of decisions) {
      if (!decision.state) continue
      this.#ruleVersion = decision.ruleVersion
      if (!this.#evidence.has(decision.patient)) {
        this.#bytes += PATIENT_OVERHEAD_BYTES
        this.#evidence.set(decision.patient, {
          state: decision.state,
          decidedAt,
          ruleVersion: decision.ruleVersion,
        })
        this.#items.set(decision.patient, new Set())
      }
      if (item) this.#items.get(decision.patient)?.add(item)
    }
  }

  add(record: SourceRecord, decisions: readonly PatientDecision[], decidedAt: number): void {
    this.#include(decisions, decidedAt, record.item)
    this.#records.set(recordKeyText(record.key), record)
    this.#bytes += record.payload.length + RECORD_OVERHEAD_BYTES
  }

  addTombstone(tombstone: Tombstone, decisions: readonly PatientDecision[], decidedAt: number): void {
    this.#include(decisions, decidedAt, null)
    this.#tombstones.set(recordKeyText(tombstone.key), tombstone)
    this.#bytes += RECORD_OVERHEAD_BYTES
  }

  has(key: string): boolean {
    return this.#records.has(key)
  }

  take(): Packed {
    return {
      evidence: [...this.#evidence.values()],
      records: [...this.#records.values()],
      tombstones: [...this.#tombstones.values()],
      items: this.#items,
      ruleVersion: this.#ruleVersion,
    }
  }
}
