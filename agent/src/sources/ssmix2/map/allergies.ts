import { segmentsOf, type Segment } from '../../hl7v2/message.ts'
import { fhirTime } from '../../hl7v2/time.ts'
import { categoryOf, clinical } from './patient.ts'
import { concept, filled, idOf, type Mapped, Names, resource, type Source, subject } from './source.ts'

const SEVERITY: Readonly<Record<string, string>> = { MI: 'mild', MO: 'moderate', SV: 'severe' }

/** ADT-61: every allergy of the person in one file. */
export function allergiesOf(source: Source): Mapped[] {
  const names = new Names()
  return segmentsOf(source.message, 'IAM').flatMap((iam) => allergy(source, iam, names))
}

function allergy(source: Source, iam: Segment, names: Names): Mapped[] {
  const code = concept(iam.first(3), source.institution)
  if (!code) return []
  const own = iam.text(7) || `${iam.text(3)}.${iam.text(3, 3)}` || iam.text(3, 2)
  const removed = iam.text(6) === 'D'
  const onset = fhirTime(iam.text(11))
  const severity = SEVERITY[iam.text(4)]
  return [
    {
      resource: resource('AllergyIntolerance', idOf(source, names.next(`IAM.${own}`)), {
        clinicalStatus: removed ? undefined : clinical('active'),
        verificationStatus: {
          coding: [
            {
              system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification',
              code: removed ? 'entered-in-error' : 'confirmed',
            },
          ],
        },
        category: categoryOf(iam.text(2)),
        code,
        patient: subject(source),
        ...(onset === null ? { onsetString: iam.text(12) } : { onsetDateTime: onset }),
        recordedDate: fhirTime(iam.text(13)),
        reaction:
          iam.text(5) === ''
            ? []
            : [filled({ manifestation: iam.repetitions(5).map((one) => ({ text: one.text(1) })), severity })],
      }),
      segments: [iam],
    },
  ]
}
