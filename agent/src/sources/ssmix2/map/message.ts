import { allergiesOf } from './allergies.ts'
import { encounterOf, eventOf } from './encounters.ts'
import { administrationsOf, requestsOf } from './medications.ts'
import { ordersOf } from './orders.ts'
import { patientOf } from './patient.ts'
import { problemsOf } from './problems.ts'
import { resultsOf } from './results.ts'
import type { Mapped, Source } from './source.ts'

/** Said in every record, so that one made by an older mapping is known as such. */
export const MAPPING = 'ssmix2-r4/1'

const BY_KIND: Readonly<Record<string, (source: Source) => Mapped[]>> = {
  'ADT-00': patientOf,
  'ADT-01': encounterOf,
  'ADT-12': encounterOf,
  'ADT-21': encounterOf,
  'ADT-22': encounterOf,
  'ADT-31': encounterOf,
  'ADT-32': encounterOf,
  'ADT-41': encounterOf,
  'ADT-42': encounterOf,
  'ADT-51': encounterOf,
  'ADT-52': encounterOf,
  'ADT-61': allergiesOf,
  'PPR-01': problemsOf,
  OMD: ordersOf,
  'OMP-01': requestsOf,
  'OMP-02': requestsOf,
  'OMP-11': administrationsOf,
  'OMP-12': administrationsOf,
  'OML-01': ordersOf,
  'OML-11': (source) => resultsOf(source, 'laboratory'),
  'OMG-01': ordersOf,
  'OMG-02': ordersOf,
  'OMG-03': ordersOf,
  'OMG-11': (source) => resultsOf(source, 'imaging'),
  'OMG-12': (source) => resultsOf(source, 'exam'),
  'OMG-13': (source) => resultsOf(source, 'exam'),
}

/** Messages that say that the person or the data is no more. */
const DELETES = new Set(['A23', 'A29'])

/** `null`: a kind that has no mapping. */
export function mapMessage(source: Source): Mapped[] | null {
  const map = BY_KIND[source.name.kind]
  if (!map) return null
  return DELETES.has(eventOf(source)) ? [] : map(source)
}
