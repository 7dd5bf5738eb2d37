import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { sampleNotice } from '@kakehashi/agent/register/sample-notice'
import { createFhirService } from '../hospital/fhir-service.ts'
import { listen, loadFolder, type FhirServer } from '../hospital/fhir-server.ts'
import { Desk } from './desk.ts'
import { layHospitals, type Hospital } from './hospitals.ts'
import { Narrator, type Counted } from './narrator.ts'
import { AGENT, HUB, runToEnd } from './program.ts'
import { DAY, done, layAgent, layHub, startHub, type AgentStage, type HubStage } from './stage.ts'

/** The first morning of the story: 1 April 2026, 08:30 in Tokyo. */
const FIRST_MORNING = Date.parse('2026-04-01T08:30:00+09:00')
const PIN = '246813'
const STAFF = 'uketsuke-1'

export interface House extends Hospital {
  agent: AgentStage
  desk: Desk
  counter: string
}

/** Everything on the stage: the operator's three processes, three hospitals with their agents, and one clock. */
export class Scene {
  readonly dir: string
  readonly tell = new Narrator()
  readonly #patients: number
  #shiftMs = FIRST_MORNING - Date.now()
  #fhir: FhirServer | null = null
  #houses: House[] = []
  #hub: HubStage | null = null
  /** Whose tokens the demonstration remembers, as a patient keeps the paper: facility and chart number → token. */
  readonly papers = new Map<string, string>()
  /** Who asked to be erased, for the acts after it. */
  erased: string | null = null
  /** The sealed delivery. */
  parcel: string | null = null

  constructor(dir: string, patients: number) {
    this.dir = dir
    this.#patients = patients
  }

  /** With a handful of charts the profile's k of 10 leaves nobody: a smaller one needs its reason. */
  get smallK(): number | null {
    return this.#patients < 200 ? 3 : null
  }

  get hub(): HubStage {
    if (this.#hub === null) throw new Error('the hub is not up yet')
    return this.#hub
  }

  get houses(): readonly House[] {
    return this.#houses
  }

  get shiftMs(): number {
    return this.#shiftMs
  }

  now(): Date {
    return new Date(Date.now() + this.#shiftMs)
  }

  today(): string {
    return this.now().toLocaleDateString('sv-SE', { timeZone: 'Asia/Tokyo' })
  }

  async layHub(): Promise<void> {
    this.#hub = await layHub(this.dir, { shiftMs: this.#shiftMs })
    await startHub(this.#hub, ['gateway', 'portal', 'vault'])
  }

  async layHospitals(): Promise<string> {
    const { hospitals, of } = await layHospitals(this.dir, this.#patients)
    const rest = hospitals[1]
    if (rest) {
      const service = createFhirService({ now: () => this.now().getTime() })
      await loadFolder(service, rest.folder)
      this.#fhir = await listen(service)
    }
    for (const hospital of hospitals) this.#houses.push(await this.#house(hospital, hospital === rest))
    return of
  }

  async #house(hospital: Hospital, byRest: boolean): Promise<House> {
    const { facility, name, folder } = hospital
    const port = 8410 + this.#houses.length
    const sources =
      byRest && this.#fhir
        ? [{ id: 'ehr', kind: 'fhir-rest', base: this.#fhir.url }]
        : [{ id: 'ehr', kind: 'fhir-bulk', folder }]
    const agent = await layAgent(this.hub, this.dir, {
      facility,
      folder,
      shiftMs: this.#shiftMs,
      config: {
        facilityName: name,
        sources,
        gatherAt: '*/2 * * * * *',
        portalAddress: this.hub.portalUrl,
        counter: { host: '127.0.0.1', port, https: false },
      },
    })
    const options = { shiftMs: this.#shiftMs }
    const facts = join(this.dir, `${facility}.json`)
    writeFileSync(facts, JSON.stringify(factsOf(hospital)))
    await done(runToEnd(AGENT, ['facility', facts, '--by', 'privacy-officer', '--dir', agent.dir], options))
    await done(
      runToEnd(AGENT, ['staff', STAFF, '--name', '受付 花子', '--dir', agent.dir], {
        ...options,
        input: PIN,
      }),
    )
    agent.program.start()
    const counter = `http://127.0.0.1:${port}`
    await agent.program.answers(`${counter}/sign-in`)
    return { ...hospital, agent, counter, desk: new Desk(counter) }
  }

  /** Runs a command of the hub and gives its JSON. */
  async atHub<T>(...args: string[]): Promise<T> {
    const ended = await done(
      runToEnd(HUB, [...args, '--dir', this.hub.dir, '--json'], { shiftMs: this.#shiftMs }),
    )
    return JSON.parse(ended.out) as T
  }

  async atAgent<T>(house: House, ...args: string[]): Promise<T> {
    const argv = [...args, '--dir', house.agent.dir, '--json']
    return JSON.parse((await done(runToEnd(AGENT, argv, { shiftMs: this.#shiftMs }))).out) as T
  }

  dryRun(house: House): Promise<Counted> {
    return this.atAgent<Counted>(house, 'dry-run')
  }

  /** A session of a minute at one desk is over long before the next day. */
  async signIn(): Promise<void> {
    for (const house of this.#houses) await house.desk.signIn(STAFF, PIN)
  }

  async pass(days: number): Promise<void> {
    this.#shiftMs += days * DAY
    const { gateway, portal, vault } = this.hub
    await Promise.all([gateway, portal, vault].map((program) => program.shift(this.#shiftMs)))
    await Promise.all(this.#houses.map((house) => this.#restart(house)))
  }

  /** An agent's cron would make up for every second that was skipped; a restart, as after a month of silence, does not. */
  async #restart(house: House): Promise<void> {
    const { program } = house.agent
    await program.stop()
    await program.shift(this.#shiftMs)
    program.start()
    await program.answers(`${house.counter}/sign-in`)
  }

  async serve(): Promise<void> {
    this.tell.step('ページを開いたままにします (pages stay open; Ctrl-C ends)')
    for (const { name, counter } of this.#houses)
      this.tell.say(`${name}の窓口  ${counter}  職員 ${STAFF} 暗証番号 ${PIN}`)
    this.tell.say(`患者さんの窓口  ${this.hub.portalUrl}`)
    await new Promise(() => {})
  }

  async close(): Promise<void> {
    const hub = this.#hub
    const programs = [
      ...this.#houses.map((h) => h.agent.program),
      ...(hub ? [hub.vault, hub.portal, hub.gateway] : []),
    ]
    await Promise.all(programs.map((program) => program.stop()))
    await this.#fhir?.close()
  }
}

function factsOf({ facility, name }: Hospital): unknown {
  const party = { name, address: '東京都新宿区1-1', phone: '03-0000-0000' }
  const sample = sampleNotice({
    track: 'ANON',
    handler: { name, address: party.address, representative: '緑川 一郎' },
    facility: party,
    operators: [],
    plannedStart: '2026-03-20',
  })
  return {
    entity: {
      id: `entity-${facility}`,
      name: `医療法人 ${name}`,
      address: '東京都新宿区1-1',
      representative: '緑川 一郎',
    },
    notice: {
      facility: party,
      dataItems: sample.dataItems,
      acquisitionMethod: sample.acquisitionMethod,
      provisionMethod: sample.provisionMethod,
      stopChannels: sample.stopChannels,
      updateMethod: sample.updateMethod,
      plannedStart: sample.plannedStart,
      operators: [{ name: '認定事業者', address: '東京都千代田区1-1', phone: '0120-000-000' }],
      remarks: '（見本の文面です。正式な文面は公表された見本によります。）',
    },
    filing: { id: `filing-${facility}`, acceptedOn: '2026-03-20' },
  }
}
