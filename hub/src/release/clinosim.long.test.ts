import { batchId, facilityId } from '@kakehashi/protocol/ids'
import { expect, test } from 'vitest'
import { linkedCohort } from '../anonymization/linked-cohort.ts'
import { landRecords } from '../content/landing.ts'
import { takeIdentity } from '../identity/intake.ts'
import { linkNewRecords } from '../linkage/flow.ts'
import { buildPackage } from './build.ts'
import { applicationShape } from './application.ts'
import { clinosimRecords, CLINOSIM, hasClinosim } from './clinosim.fixture.ts'
import { application, newHouse } from './people.fixture.ts'
import { verifyPackage } from './verify.ts'

const PATIENCE_MS = 300_000

if (!hasClinosim()) process.stderr.write(`SKIPPED: no data at ${CLINOSIM} (set KAKEHASHI_SHARED)\n`)

test.skipIf(!hasClinosim())(
  'R30 R36 R40 clinosim: two hospitals sharing every third patient become one cohort, treated, scanned and verified',
  async () => {
    const house = await newHouse()
    const types = ['Patient', 'Coverage', 'Condition']
    const shared = (patient: string): boolean => Number(patient.slice(-6)) % 3 === 0
    let batch = 0
    const both = new Set<string>()
    for (const [facility, only] of [
      ['hospital-a', () => true],
      ['hospital-b', shared],
    ] as const)
      for await (const page of clinosimRecords(facility, types, 2000, only)) {
        const about = { batch: batchId(`b${++batch}`), facility: facilityId(facility) }
        await takeIdentity(house.identity, page)
        await house.ops.bookkeep((tx) => landRecords(tx, house.content, about, page))
        if (facility === 'hospital-b') for (const r of page) both.add(String(r.patients[0]))
      }
    const linked = await linkNewRecords(house.identity)
    expect(linked).toEqual({ placed: 348 + both.size, attached: both.size, newPersons: 348, reviews: 0 })

    const asked = applicationShape.parse(application(house))
    const built = await buildPackage(house, { id: 'r', digest: 'd' }, asked, linkedCohort())
    expect(built.members).toHaveLength(348)
    expect(built.smallestClass).toBeGreaterThanOrEqual(10)
    expect((await verifyPackage(built.directory, house.signing.public)).ok).toBe(true)
    await house.close()
  },
  PATIENCE_MS,
)
