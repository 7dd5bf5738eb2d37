/**
 * The closed table of FHIR R4 elements a profile may speak of, with their types. What is not here cannot be named in
 * a profile, and what a profile does not name does not exist in a release.
 */
export type ElementType =
  | 'code'
  | 'Coding'
  | 'date'
  | 'dateTime'
  | 'Quantity'
  | 'boolean'
  | 'string'
  | 'Identifier'
  | 'HumanName'
  | 'ContactPoint'
  | 'Reference'
  | 'Narrative'
  | 'Annotation'
  | 'Attachment'
  | 'Extension'
  | 'id'

const NEVER: Record<string, ElementType> = {
  id: 'id',
  'meta.source': 'string',
  'meta.lastUpdated': 'dateTime',
  text: 'Narrative',
  'text.div': 'Narrative',
  extension: 'Extension',
  identifier: 'Identifier',
  'identifier.value': 'string',
  'identifier.system': 'string',
  note: 'Annotation',
  'note.text': 'string',
  subject: 'Reference',
  'subject.display': 'string',
  performer: 'Reference',
  encounter: 'Reference',
}

export const ELEMENTS: Record<string, Record<string, ElementType>> = {
  Patient: {
    ...NEVER,
    name: 'HumanName',
    'name.text': 'string',
    telecom: 'ContactPoint',
    'telecom.value': 'string',
    gender: 'code',
    birthDate: 'date',
    deceasedBoolean: 'boolean',
    deceasedDateTime: 'dateTime',
    'address.state': 'string',
    'address.city': 'string',
    'address.line': 'string',
    'address.text': 'string',
    'address.postalCode': 'string',
    photo: 'Attachment',
  },
  Condition: {
    ...NEVER,
    'code.coding': 'Coding',
    'code.text': 'string',
    'code.coding.display': 'string',
    'clinicalStatus.coding': 'Coding',
    'verificationStatus.coding': 'Coding',
    'category.coding': 'Coding',
    'severity.coding': 'Coding',
    onsetDateTime: 'dateTime',
    onsetString: 'string',
    abatementDateTime: 'dateTime',
    recordedDate: 'dateTime',
  },
  Observation: {
    ...NEVER,
    status: 'code',
    'category.coding': 'Coding',
    'code.coding': 'Coding',
    'code.text': 'string',
    effectiveDateTime: 'dateTime',
    'effectivePeriod.start': 'dateTime',
    'effectivePeriod.end': 'dateTime',
    issued: 'dateTime',
    valueQuantity: 'Quantity',
    valueString: 'string',
    'valueCodeableConcept.coding': 'Coding',
    'interpretation.coding': 'Coding',
  },
  MedicationRequest: {
    ...NEVER,
    status: 'code',
    intent: 'code',
    'medicationCodeableConcept.coding': 'Coding',
    'medicationCodeableConcept.text': 'string',
    authoredOn: 'dateTime',
  },
  MedicationAdministration: {
    ...NEVER,
    status: 'code',
    'medicationCodeableConcept.coding': 'Coding',
    effectiveDateTime: 'dateTime',
    'effectivePeriod.start': 'dateTime',
    'dosage.dose': 'Quantity',
    'dosage.text': 'string',
  },
  Encounter: {
    ...NEVER,
    status: 'code',
    class: 'Coding',
    'type.coding': 'Coding',
    'period.start': 'dateTime',
    'period.end': 'dateTime',
  },
  Procedure: {
    ...NEVER,
    status: 'code',
    'code.coding': 'Coding',
    'code.text': 'string',
    performedDateTime: 'dateTime',
    'performedPeriod.start': 'dateTime',
    'performedPeriod.end': 'dateTime',
  },
  Immunization: {
    ...NEVER,
    status: 'code',
    'vaccineCode.coding': 'Coding',
    occurrenceDateTime: 'dateTime',
    lotNumber: 'string',
  },
}

/** Which element types each operation may touch. Strings, names, identifiers, narratives: none but `drop`. */
export const OPERATION_TYPES = {
  'keep-code': ['code', 'Coding'],
  'shift-date': ['date', 'dateTime'],
  'age-band': ['date'],
  region: ['string'],
  'keep-number': ['Quantity'],
} as const satisfies Record<string, readonly ElementType[]>

/** Operations that fit one element only, whatever its type. */
export const OPERATION_PLACES: Partial<Record<keyof typeof OPERATION_TYPES, string>> = {
  'age-band': 'Patient.birthDate',
  region: 'Patient.address.state',
}
