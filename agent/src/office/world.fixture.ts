import type { Location } from '@kakehashi/store/store'
import { counterApp } from '../counter/app.ts'
import type { CounterParts } from '../counter/parts.ts'
import { staffDirectory } from '../counter/staff.ts'
import { registerOfMidori, type SomeChart } from '../imports/world.fixture.ts'
import { patientFinder } from '../patients/search.ts'
import { choosePin, keepStaff, type StaffHouse } from '../staff/flow.ts'

export const PIN = '493158'
export const OFFICERS = [
  { id: 's-01', name: '佐藤', role: 'desk', pin: PIN },
  { id: 's-02', name: '高橋', role: 'privacy', pin: PIN },
  { id: 's-03', name: '西村', role: 'it', pin: PIN },
] as const

/** The register of Midori with staff and pages in front of it. */
export async function officeOfMidori(
  options: { charts?: readonly SomeChart[]; at?: Location; more?: Partial<CounterParts> } = {},
) {
  const ward = await registerOfMidori(options)
  const { context, register, store, env } = ward
  const house: StaffHouse = { store, env, keys: context.keys, cost: { N: 1024, r: 8, p: 1 } }
  for (const one of OFFICERS) await keepStaff(house, { ...one, by: 'admin' })
  const app = counterApp({
    context,
    register,
    settings: {
      facilityName: 'みどり病院',
      https: false,
      portalAddress: 'https://stop.kakehashi.example',
      operatorPhone: '0120-000-000',
      noticeText: () => null,
    },
    people: patientFinder(store.db),
    staff: { ...staffDirectory(context), choosePin: (id, pin) => choosePin(house, { id, pin }) },
    online: () => true,
    ...options.more,
  })
  return { ...ward, app, house }
}
