import { expect, test } from 'vitest'
import { foldersOf, storedName } from '../ssmix2/file-name.ts'
import { tellFile } from '../ssmix2/telling.ts'
import { LABEL_POLICY } from '../labels.ts'
import { FACILITY } from '../folder.fixture.ts'
import { MUTANTS } from '../mutation.fixture.ts'
import { mutants } from './mutants.fixture.ts'

/** Kinds whose message it may be; of several, each in its turn. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  ADT: ['ADT-00', 'ADT-22', 'ADT-61'],
  PPR: ['PPR-01'],
  OUL: ['OML-11'],
  RDE: ['OMP-01', 'OMP-02'],
  RAS: ['OMP-12', 'OMP-11'],
}

function kindOf(bytes: Uint8Array, turn: number): string {
  const type = /\|(ADT|PPR|OUL|RDE|RAS)\^/.exec(Buffer.from(bytes).toString('latin1'))?.[1] ?? 'ADT'
  const kinds = KINDS[type] as readonly string[]
  return kinds[turn % kinds.length] as string
}

test(
  `${MUTANTS} mutants through reader and mapping: none throws, none grows beyond bounds`,
  { timeout: 3_600_000 },
  () => {
    const options = { source: 'ss', facility: FACILITY, labels: LABEL_POLICY }
    let n = 0
    let told = 0
    for (const bytes of mutants(MUTANTS, 11)) {
      const kind = kindOf(bytes, n++)
      const name = storedName(`9999013_-_${kind}_999999999999999_20260101000000000_-_1`)
      const path = `-/${kind}/${name?.name}`
      const folder = `//0/${foldersOf('9999013').join('/')}/9999013`
      const { events } = tellFile(
        options,
        bytes,
        { path, key: `${folder}/${path}`, name, fault: null },
        { institution: null, run: 'r' },
      )
      for (const event of events) if (event.t === 'record') told++
    }
    expect(told).toBeGreaterThan(MUTANTS / 10)
  },
)
