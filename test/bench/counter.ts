import { join } from 'node:path'
import { Clerk, hospital, showPatient, type Somebody } from '@kakehashi/agent/counter/world.fixture'
import { personOf } from '@kakehashi/test/hospital/people'

export interface CounterFigures {
  patients: number
  /** Times of each action in ms, and how often it was done. */
  actions: Record<string, { p50: number; p95: number; n: number }>
  /** The slowest action's p95. */
  worst: { action: string; p95: number }
}

const ROUNDS = 200
/** Read in before the first of the day, as a hospital's index is. */
const PATIENTS = 100_000
const PER_TRANSACTION = 2_000
const TODAY = '2026-11-25'

/** `07654321`: eight digits, as on most registration cards. */
const numberOf = (n: number): string => String(n + 1).padStart(8, '0')

function somebody(n: number): Somebody {
  const { family, given, sex, birthDate } = personOf('counter', String(n), TODAY)
  return {
    number: numberOf(n),
    kana: `${family.kana} ${given.kana}`,
    kanji: `${family.kanji} ${given.kanji}`,
    birthDate,
    sex,
  }
}

class Watch {
  readonly #times = new Map<string, number[]>()

  async of<T>(action: string, act: () => Promise<T>): Promise<T> {
    const begun = performance.now()
    const result = await act()
    const times = this.#times.get(action) ?? []
    times.push(performance.now() - begun)
    this.#times.set(action, times)
    return result
  }

  figures(): CounterFigures['actions'] {
    return Object.fromEntries(
      [...this.#times].map(([action, times]) => {
        const sorted = times.toSorted((a, b) => a - b)
        const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? 0
        return [action, { p50: at(0.5), p95: at(0.95), n: sorted.length }]
      }),
    )
  }
}

/**
 * Server time of every action of a clerk, by the application itself, over a store on disk with 100,000 patients: each
 * is the whole way from the request to the last byte of the page that follows, redirect and fsync included.
 */
export async function counterTimes(dir: string, patients = PATIENTS): Promise<CounterFigures> {
  const place = await hospital({}, [], join(dir, 'counter.sqlite'))
  const { store, context, app } = place
  for (let from = 0; from < patients; from += PER_TRANSACTION) {
    const group = Array.from({ length: Math.min(PER_TRANSACTION, patients - from) }, (_, n) =>
      somebody(from + n),
    )
    await showPatient(store, context, ...group)
  }
  const clerk = new Clerk(app)
  await clerk.signIn()
  const watch = new Watch()
  for (let round = 0; round < ROUNDS; round++) await oneRound(clerk, watch, (round * 7919) % patients)
  await store.close()
  const actions = watch.figures()
  const [action, { p95 }] = Object.entries(actions).toSorted((a, b) => b[1].p95 - a[1].p95)[0] ?? [
    '',
    { p95: 0 },
  ]
  return { patients, actions, worst: { action, p95 } }
}

/** What a queue brings: cards, names, birth dates, notices, now and then a stop. */
async function oneRound(clerk: Clerk, watch: Watch, n: number): Promise<void> {
  const person = somebody(n)
  const family = person.kana.split(' ')[0] ?? ''
  await watch.of('search by name', () => clerk.post('/search', { q: person.kana }))
  await watch.of('search by family name', () => clerk.post('/search', { q: family }))
  await watch.of('search by family name in kanji', () =>
    clerk.post('/search', { q: person.kanji.split(' ')[0] ?? '' }),
  )
  await watch.of('search by name and birth date', () =>
    clerk.post('/search', { q: `${family} ${person.birthDate}` }),
  )
  await watch.of('search by birth date', () => clerk.post('/search', { q: person.birthDate ?? '' }))
  await watch.of('search by part of a number', () => clerk.post('/search', { q: person.number.slice(1, 6) }))
  await watch.of('search by number, page opens', () => clerk.post('/search', { q: person.number }))
  const { path } = clerk
  if (!path.startsWith('/patient/')) throw new Error(`a number opened ${path}`)
  await watch.of('notice', () => clerk.post(`${path}/notice`, { to: 'person' }))
  if (!clerk.path.startsWith('/paper/')) throw new Error('no notice was recorded')
  await watch.of('the next', () => clerk.get('/'))
  if (n % 4 !== 0) return
  await watch.of('stop, form', () => clerk.get(`${path}/stop`))
  await watch.of('stop', () => clerk.post(`${path}/stop`, { who: 'person', how: 'card' }))
  const stop = clerk.path.split('/').at(-1) ?? ''
  await watch.of('slip', () => clerk.get(`${path}/slip/${stop}`))
  await watch.of('slip handed', () => clerk.post(`${path}/slip/${stop}/handed`, {}))
  await watch.of('stop by name', () =>
    clerk.post('/named/new', { kana: `ミショウ ${n}`, born: '19500101', who: 'person' }),
  )
  await watch.of('tasks', () => clerk.get('/tasks'))
  await watch.of("today's list", () => clerk.get('/today'))
}

if (import.meta.main) {
  const { mkdtempSync, rmSync } = await import('node:fs')
  const { tmpdir } = await import('node:os')
  const dir = mkdtempSync(join(tmpdir(), 'kakehashi-counter-'))
  try {
    console.log(JSON.stringify(await counterTimes(dir, Number(process.argv[2] ?? PATIENTS)), null, 2))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
