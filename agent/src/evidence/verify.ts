import { createHash } from 'node:crypto'
import type { FacilityEvent, PatientEvent } from '@kakehashi/protocol/events'
import { verifyCheckpoint } from '@kakehashi/protocol/checkpoint'
import { agentId, facilityId, keyId, type PatientKey } from '@kakehashi/protocol/ids'
import { verifyControl } from '@kakehashi/protocol/control'
import { leafHash, verifyInclusion } from '@kakehashi/protocol/merkle'
import { decide } from '@kakehashi/protocol/rules/decide'
import { rulesHash, type RuleFile } from '@kakehashi/protocol/rules/rule-file'
import { fromBase64, open, sha256Hex, toBase64, type Signed } from '@kakehashi/protocol/signing'
import type { RulesVersion } from '@kakehashi/protocol/rules/approval'
import { answersAt, linkedWith } from './decisions.ts'
import {
  EVIDENCE_FORMAT,
  MANIFEST,
  type DecisionLine,
  type LeafLine,
  type Manifest,
  type ReceiptLine,
} from './shape.ts'

/** A package on a disk, in a ZIP, in a test: files by their path. */
export interface Opened {
  paths(): string[]
  read(path: string): Uint8Array
}

export interface EvidenceProblem {
  what:
    | 'manifest-missing'
    | 'signature-invalid'
    | 'key-differs'
    | 'file-missing'
    | 'file-altered'
    | 'file-added'
    | 'text-altered'
    | 'text-missing'
    | 'checkpoint-invalid'
    | 'leaf-not-in-log'
    | 'act-without-leaf'
    | 'rules-altered'
    | 'decision-differs'
    | 'provision-without-decision'
    | 'receipt-invalid'
    | 'unreadable'
  where: string
}

export interface EvidenceReport {
  ok: boolean
  manifest: Manifest | null
  files: number
  events: number
  texts: number
  leaves: number
  decisions: number
  provisions: number
  /** The vault's own signed words among them. */
  receipts: number
  problems: EvidenceProblem[]
}

const PROBLEMS_MAX = 200

interface Kept<E> {
  seq: number
  event: E
}

/**
 * Checks a package with nothing but its files and public keys: the agent's, as the operator enrolled it, and the
 * vault's, as the operator publishes it. Without them the package's own are taken and only consistency is shown.
 */
export function verifyEvidence(
  opened: Opened,
  publicKey: Uint8Array | null,
  vaultKey: Uint8Array | null = null,
): EvidenceReport {
  const check = new Check(opened)
  try {
    check.all(publicKey, vaultKey)
  } catch {
    check.problem('unreadable', 'package')
  }
  return check.report
}

class Check {
  readonly #opened: Opened
  readonly report: EvidenceReport
  #facility: FacilityEvent[] = []
  readonly #patients = new Map<PatientKey, Kept<PatientEvent>[]>()
  readonly #links = new Map<PatientKey, PatientKey[]>()
  #leaves: { act: string; about: string | null; at: number }[] = []

  constructor(opened: Opened) {
    this.#opened = opened
    this.report = {
      ok: true,
      manifest: null,
      files: 0,
      events: 0,
      texts: 0,
      leaves: 0,
      decisions: 0,
      provisions: 0,
      receipts: 0,
      problems: [],
    }
  }

  problem(what: EvidenceProblem['what'], where: string): void {
    this.report.ok = false
    if (this.report.problems.length < PROBLEMS_MAX) this.report.problems.push({ what, where })
  }

  all(publicKey: Uint8Array | null, vaultKey: Uint8Array | null): void {
    const paths = this.#opened.paths()
    if (!paths.includes(MANIFEST)) return this.problem('manifest-missing', MANIFEST)
    const signed = JSON.parse(this.#text(MANIFEST)) as Signed<Manifest>
    const key = publicKey ?? fromBase64(signed.body.publicKey)
    if (publicKey && toBase64(publicKey) !== signed.body.publicKey) this.problem('key-differs', MANIFEST)
    const manifest = open('evidence', signed, key)
    if (manifest?.format !== EVIDENCE_FORMAT) return this.problem('signature-invalid', MANIFEST)
    this.report.manifest = manifest
    this.#files(manifest, paths)
    this.#register()
    this.#texts()
    this.#audit(manifest, key)
    this.#acts()
    this.#decisions(manifest)
    if (vaultKey && toBase64(vaultKey) !== manifest.vaultKey) this.problem('key-differs', 'vault')
    this.#receipts(manifest, vaultKey ?? fromBase64(manifest.vaultKey))
  }

  #text(path: string): string {
    return Buffer.from(this.#opened.read(path)).toString('utf8')
  }

  #lines<T>(path: string): T[] {
    if (!this.#opened.paths().includes(path)) return []
    return this.#text(path)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as T)
  }

  #files(manifest: Manifest, paths: readonly string[]): void {
    const named = new Set([MANIFEST])
    for (const { path, bytes, sha256 } of manifest.files) {
      named.add(path)
      if (!paths.includes(path)) {
        this.problem('file-missing', path)
        continue
      }
      const content = this.#opened.read(path)
      const same = content.length === bytes && createHash('sha256').update(content).digest('hex') === sha256
      if (same) this.report.files += 1
      else this.problem('file-altered', path)
    }
    for (const path of paths) if (!named.has(path)) this.problem('file-added', path)
  }

  #register(): void {
    const facility = this.#lines<Kept<FacilityEvent>>('register/facility.ndjson')
    this.#facility = facility.toSorted((a, b) => a.seq - b.seq).map((one) => one.event)
    const patients = this.#lines<Kept<PatientEvent>>('register/patients.ndjson')
    for (const kept of patients) {
      const { event } = kept
      const own = this.#patients.get(event.patient)
      if (own) own.push(kept)
      else this.#patients.set(event.patient, [kept])
      if (event.type !== 'charts-merged' && event.type !== 'charts-unmerged') continue
      this.#link(event.patient, event.other)
      this.#link(event.other, event.patient)
    }
    this.report.events = facility.length + patients.length
  }

  #link(one: PatientKey, other: PatientKey): void {
    this.#links.set(one, [...(this.#links.get(one) ?? []), other])
  }

  /** Events of the person's every chart, in the order in which they were written. */
  #eventsOf(patient: PatientKey): PatientEvent[] {
    return linkedWith(patient, this.#links)
      .flatMap((chart) => this.#patients.get(chart) ?? [])
      .toSorted((a, b) => a.seq - b.seq)
      .map((one) => one.event)
  }

  /** Every text is what its name says, and every notice given is of a text that is here. */
  #texts(): void {
    const present = new Set<string>()
    for (const path of this.#opened.paths()) {
      const hash = /^notices\/([0-9a-f]{64})\.txt$/.exec(path)?.[1]
      if (hash === undefined) continue
      if (sha256Hex(this.#opened.read(path)) === hash) present.add(hash)
      else this.problem('text-altered', path)
    }
    this.report.texts = present.size
    const given = [...this.#patients.values()]
      .flat()
      .flatMap(({ event }) => (event.type === 'notice-given' ? [event] : []))
    for (const hash of new Set(given.map((event) => event.templateHash)))
      if (!present.has(hash)) this.problem('text-missing', hash)
  }

  #audit(manifest: Manifest, key: Uint8Array): void {
    const checkpoint = verifyCheckpoint(this.#text('audit/checkpoint'), manifest.auditOrigin, key)
    if (!checkpoint) return this.problem('checkpoint-invalid', 'audit/checkpoint')
    for (const { seq, leaf, proof } of this.#lines<LeafLine>('audit/leaves.ndjson')) {
      const bytes = fromBase64(leaf)
      const read = JSON.parse(Buffer.from(bytes).toString('utf8')) as {
        seq: number
        act: string
        about?: string
        at: number
      }
      const path = proof.map((hash) => fromBase64(hash))
      if (
        read.seq !== seq ||
        !verifyInclusion(leafHash(bytes), seq, checkpoint.size, path, checkpoint.root)
      ) {
        this.problem('leaf-not-in-log', String(seq))
        continue
      }
      this.report.leaves += 1
      this.#leaves.push({ act: read.act, about: read.about ?? null, at: read.at })
    }
  }

  /** What people did has its leaf: nothing was written into the register beside the log. */
  #acts(): void {
    const about = new Map(
      this.#lines<{ patient: PatientKey; about: string }>('subjects.ndjson').map((one) => [
        one.patient,
        one.about,
      ]),
    )
    for (const [patient, events] of this.#patients) {
      const charts = linkedWith(patient, this.#links).map((chart) => about.get(chart))
      for (const { event } of events) {
        const act = ACTS[event.type]
        if (act === undefined || (event.type === 'stop-asked' && event.origin !== 'counter')) continue
        const told = this.#leaves.some(
          (leaf) =>
            leaf.act === act &&
            charts.includes(leaf.about ?? '') &&
            Math.abs(leaf.at - event.recordedAt) <= ACT_TO_LEAF_MS_MAX,
        )
        if (!told) this.problem('act-without-leaf', event.event)
      }
    }
  }

  /** The vault signed what the agent recorded of its answer. */
  #receipts(manifest: Manifest, vaultKey: Uint8Array): void {
    for (const { batch, digest, outcome, receipt } of this.#lines<Partial<ReceiptLine>>('receipts.ndjson')) {
      if (!receipt) continue
      const to = {
        agent: agentId(manifest.agent),
        direction: 'down' as const,
        sealedTo: keyId(receipt.sealedTo),
      }
      const said = verifyControl(receipt.signed, to, vaultKey)
      const same = said?.type === 'receipt' && said.batch === batch && said.digest === digest
      if (same && said.outcome === outcome) this.report.receipts += 1
      else this.problem('receipt-invalid', batch ?? '')
    }
  }

  /** Rule files that came with the software or that two people put in force, each under its own hash. */
  #rules(): Map<string, RuleFile> {
    const rules = new Map<string, RuleFile>()
    for (const { version, hash, standing, proposedBy, approvedBy, rules: file } of this.#lines<RulesVersion>(
      'rules.ndjson',
    )) {
      const twoPeople = standing === 'built-in' || (approvedBy !== null && approvedBy !== proposedBy)
      if (rulesHash(file) !== hash || file.version !== version) this.problem('rules-altered', version)
      else if (standing !== 'proposed' && twoPeople) rules.set(version, file)
    }
    return rules
  }

  #decisions(manifest: Manifest): void {
    const rules = this.#rules()
    const provided = new Set<string>()
    for (const line of this.#lines<DecisionLine>('decisions.ndjson')) {
      const version = line.answers[0]?.answer.ruleVersion ?? ''
      const inForce = rules.get(version)
      const { answers, ...asked } = line
      const again = inForce
        ? answersAt(
            asked,
            answers.map((one) => one.item),
            {
              facility: facilityId(manifest.facility),
              facilityEvents: this.#facility,
              patientEvents: this.#eventsOf(line.patient),
              rules: inForce,
              decide,
            },
          )
        : null
      const where = line.batch ?? line.why
      if (JSON.stringify(again) !== JSON.stringify(answers)) this.problem('decision-differs', where)
      else this.report.decisions += 1
      if (line.why === 'provision' && answers.every((one) => one.answer.allow))
        provided.add(`${line.batch} ${line.patient}`)
    }
    for (const { batch, patient } of this.#lines<{ batch: string; patient: string }>('provisions.ndjson')) {
      this.report.provisions += 1
      if (!provided.has(`${batch} ${patient}`)) this.problem('provision-without-decision', batch)
    }
  }
}

/** Time between an event's own clock reading and its leaf's, in one transaction of a busy machine. */
const ACT_TO_LEAF_MS_MAX = 60_000

const ACTS: Partial<Record<PatientEvent['type'], string>> = {
  'notice-given': 'notice.recorded',
  'notice-confirmed': 'notice.confirmed',
  'notice-returned': 'notice.returned',
  'notice-voided': 'notice.voided',
  'stop-asked': 'stop.recorded',
  'stop-withdrawn': 'stop.withdrawn',
  'stop-undone': 'stop.undone',
}
