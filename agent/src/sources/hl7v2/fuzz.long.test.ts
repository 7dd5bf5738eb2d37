import { expect, test } from 'vitest'
import { foldersOf, storedName } from '../ssmix2/file-name.ts'
import { tellFile } from '../ssmix2/telling.ts'
import { LABEL_POLICY } from '../labels.ts'
import { FACILITY } from '../folder.fixture.ts'
import { mutants } from './mutants.fixture.ts'

const KINDS = ['ADT-00', 'PPR-01', 'OML-11', 'OMP-01', 'OMP-12', 'ADT-22', 'ADT-61', 'OMG-12', 'OML-01']

test(
  'a million mutants through reader and mapping: none throws, none grows beyond bounds',
  { timeout: 900_000 },
  () => {
    const options = { source: 'ss', facility: FACILITY, labels: LABEL_POLICY }
    let n = 0
    let told = 0
    for (const bytes of mutants(1_000_000, 11)) {
      const kind = KINDS[n++ % KINDS.length] as string
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
    expect(told).toBeGreaterThan(100_000)
  },
)
