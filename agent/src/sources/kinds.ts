import type { SourceConnector } from './connector.ts'

/** What each kind of source is called in front of staff. */
export const KINDS: Readonly<Record<SourceConnector['kind'], string>> = {
  'fhir-folder': 'FHIR一括出力のフォルダ',
  'fhir-bulk': 'FHIR一括出力のサーバー',
  'fhir-rest': 'FHIRサーバー',
  ssmix2: 'SS-MIX2標準化ストレージ',
}
