import type { ItemClass } from './state.ts'

const BY_TYPE: Readonly<Record<string, ItemClass>> = {
  Patient: 'identity',
  RelatedPerson: 'identity',
  Person: 'identity',
  Coverage: 'insurance',
  Claim: 'insurance',
  ClaimResponse: 'insurance',
  ExplanationOfBenefit: 'insurance',
  Account: 'insurance',
  Encounter: 'encounter',
  EpisodeOfCare: 'encounter',
  Appointment: 'encounter',
  Condition: 'diagnosis',
  AllergyIntolerance: 'diagnosis',
  FamilyMemberHistory: 'diagnosis',
  ClinicalImpression: 'diagnosis',
  Specimen: 'laboratory',
  MolecularSequence: 'laboratory',
  Medication: 'medication',
  MedicationRequest: 'medication',
  MedicationDispense: 'medication',
  MedicationAdministration: 'medication',
  MedicationStatement: 'medication',
  Immunization: 'medication',
  Procedure: 'procedure',
  Device: 'procedure',
  DeviceUseStatement: 'procedure',
  Observation: 'observation',
  RiskAssessment: 'observation',
  QuestionnaireResponse: 'document',
  DiagnosticReport: 'document',
  DocumentReference: 'document',
  Composition: 'document',
  Binary: 'document',
  Communication: 'document',
  ImagingStudy: 'image',
  Media: 'image',
  CarePlan: 'care',
  CareTeam: 'care',
  Goal: 'care',
  NutritionOrder: 'care',
  ServiceRequest: 'care',
}

const LABORATORY = new Set(['laboratory', 'lab', 'ch', 'hm', 'mb', 'sr', 'imm', 'vr', 'bldbk', 'cg', 'ge'])

/**
 * The item class (医療情報の項目) a FHIR resource falls under. `categories` are its category codes: they tell a
 * laboratory result from another observation or report. An unknown type is `other`, which a notice must list too.
 */
export function itemClassOf(resourceType: string, categories: readonly string[] = []): ItemClass {
  const type = Object.hasOwn(BY_TYPE, resourceType) ? BY_TYPE[resourceType] : undefined
  if (resourceType === 'Observation' || resourceType === 'DiagnosticReport') {
    if (categories.some((code) => LABORATORY.has(code.toLowerCase()))) return 'laboratory'
  }
  return type ?? 'other'
}
