/**
 * The closed list of reasons for which something is not sent, not accepted or not read.
 * Each has one Japanese sentence (for hospital and operator staff) and one English sentence (for logs and developers).
 */
export const REFUSALS = {
  // the gate (protocol/rules)
  NOT_NOTIFIED: ['まだ通知していません。', 'No effective notice has been recorded for this patient.'],
  WAITING: ['通知からの待機期間が終わっていません。', 'The waiting period after the notice has not ended.'],
  NOT_FILED: ['主務大臣への届出が確認できません。', 'No accepted filing covers this notice version.'],
  FILING_ENDED: ['届出が終了しています。', 'The filing has ended.'],
  FACILITY_ENDED: ['この医療機関は提供を終了しています。', 'The facility has left the scheme.'],
  OPERATOR_NOT_CERTIFIED: [
    '認定事業者の認定が有効ではありません。',
    'The operator is not certified for this track.',
  ],
  OPERATOR_STATUS_STALE: [
    '認定状況の一覧が古いため確認できません。',
    'The signed operator status list is too old.',
  ],
  STOPPED: ['提供停止の求めがあります。', 'A stop request is in force.'],
  STOP_PERIOD: [
    '提供停止の期間中の記録のため提供しません。',
    'Dated inside a stop that was withdrawn since, or of unknown date.',
  ],
  STOPS_UNKNOWN: [
    '控えから戻した直後のため、認定事業者から停止の一覧が届くまで何も送りません。',
    'Restored from a backup: closed until the hub has told every stop it knows.',
  ],
  RECORDS_UNKNOWN: [
    '控えから戻した直後のため、認定事業者が持っている記録の一覧が届き終わるまで何も送りません。',
    'Restored from a backup: closed until the hub has told which records it holds.',
  ],
  HOLD_IDENTITY: ['本人かどうかの確認待ちです。', 'Held: identity in doubt.'],
  HOLD_MERGE: ['カルテ統合の確認待ちです。', 'Held: a chart merge awaits review.'],
  HOLD_DEATH: ['ご逝去後の確認待ちです。', 'Held: the person died after the notice; review due.'],
  HOLD_CAPACITY: ['判断能力の確認待ちです。', 'Held: capacity awaits review.'],
  HOLD_TURNED_16: [
    '16歳になったため、本人への通知が必要です。',
    'Held: turned 16; own notice and period due.',
  ],
  HOLD_OTHER: ['保留中です。', 'Held by staff.'],
  PERSON_NOTICE_MISSING: ['本人への通知がまだです。', 'The guardian was notified, the person was not.'],
  GUARDIAN_NOTICE_MISSING: ['保護者等への通知がまだです。', 'The person was notified, the guardian was not.'],
  AGE_UNKNOWN: ['生年月日が不明なため判断できません。', 'The birth date is missing or a placeholder.'],
  CAPACITY_UNKNOWN: ['判断能力の記録が読み取れません。', 'The capacity judgement cannot be read.'],
  TRACK_NOT_NOTIFIED: [
    'この区分（匿名加工・仮名加工）の通知がありません。',
    'The notice given was for another track.',
  ],
  OPERATOR_NOT_NOTIFIED: ['この認定事業者を記した通知がありません。', 'No notice names this operator.'],
  ITEM_NOT_NOTIFIED: ['この項目は通知に含まれていません。', 'The item class is not in the notice.'],
  ITEM_NOT_FILED: [
    'この項目は現在の届出・通知書に含まれていません。',
    'The item class is not in the notice version now filed.',
  ],
  NOTICE_OUTDATED: [
    '通知書の内容が変わったため、あらためての通知が必要です。',
    'The notice changed since; the person was not notified of the change.',
  ],
  DIED_BEFORE_NOTICE: ['通知の前に亡くなっているため提供できません。', 'The person died before any notice.'],
  CLOCK_UNSURE: [
    'パソコンの時計が過去に戻っているため判断できません。時計を正しい時刻に合わせてください。通知書は先に渡してかまいません。渡した日時を控え、時計を直してから記録してください。停止の求めは今すぐ記録できます。',
    'The clock runs behind a time already seen.',
  ],
  FOREIGN_COPY: ['他院の記録の写しは提供できません。', 'The record is a copy from another facility.'],
  STATE_UNREADABLE: [
    '登録内容が読み取れないため提供しません。',
    'The register state could not be read; default deny.',
  ],

  // the vault's second gate
  SIGNATURE_INVALID: ['署名が正しくありません。', 'The signature does not verify.'],
  KEY_UNKNOWN: ['署名鍵が登録されていません。', 'The signing key is not enrolled.'],
  KEY_RETIRED: ['署名鍵は失効しています。', 'The signing key is retired or revoked.'],
  VAULT_KEY_UNKNOWN: ['封の鍵が一致しません。', 'Sealed to a key this vault does not hold.'],
  ENVELOPE_MALFORMED: ['封筒の形式が正しくありません。', 'The envelope does not parse or decrypt.'],
  ENVELOPE_TOO_LARGE: ['封筒が大きすぎます。', 'The envelope exceeds a size limit.'],
  DIGEST_MISMATCH: ['内容の要約値が一致しません。', 'A digest does not match its content.'],
  COUNTS_MISMATCH: ['件数が一致しません。', 'Declared and actual counts differ.'],
  EVIDENCE_MISSING: ['通知の証拠がありません。', 'A record belongs to a patient without evidence.'],
  EVIDENCE_MISMATCH: [
    '通知の証拠が届出・版と一致しません。',
    'The evidence contradicts the registered facility, filing or template.',
  ],
  FACILITY_UNKNOWN: ['登録されていない医療機関です。', 'The facility is not registered for this agent.'],
  FACILITY_SUSPENDED: ['この医療機関からの受入れは停止中です。', 'Intake from this facility is suspended.'],
  ERASED: ['削除済みの方の記録です。', 'The person was erased; a tombstone refuses later arrivals.'],
  DUPLICATE_CONFLICT: [
    '同じ番号で内容の違う記録があります。',
    'The same record version arrived with other content.',
  ],
  BATCH_REPLAYED: ['同じ番号で内容の違う封筒です。', 'The same batch id arrived with another digest.'],

  // reading a source
  LINE_NOT_JSON: ['JSONとして読めない行です。', 'The line is not valid JSON.'],
  LINE_TOO_LONG: ['行が長すぎます。', 'The line exceeds the size cap.'],
  NOT_UTF8: ['文字コードが正しくありません。', 'The bytes are not valid UTF-8.'],
  NOT_A_RESOURCE: ['FHIRのリソースではありません。', 'Not a FHIR resource with type and id.'],
  PATIENT_UNRESOLVED: ['患者が特定できない記録です。', 'No patient could be resolved for the resource.'],
  FILE_EMPTY: ['ファイルの中身が空です。', 'The file is empty.'],
  FILE_NAME_UNKNOWN: [
    'ファイル名がSS-MIX2の決まりに合いません。',
    'The file name is not that of a stored message.',
  ],
  FILE_MISPLACED: [
    'ファイル名と置かれたフォルダが一致しません。',
    'The file lies in a folder that its name contradicts.',
  ],
  ENCODING_UNKNOWN: ['文字コードが判別できません。', 'The bytes are in no encoding that is read.'],
  ENCODING_DEVIATES: [
    '決まりと違う文字コードで書かれています（読み取りはできています）。',
    'Not written in ISO-2022-JP; it was read in another encoding.',
  ],
  MESSAGE_UNREADABLE: ['HL7の電文として読めません。', 'Not the HL7 message that its kind must be.'],
  KIND_UNKNOWN: ['扱っていない種類のデータです。', 'A kind of data that is not read.'],
  PATIENT_MISMATCH: [
    '電文の患者番号とフォルダの患者番号が一致しません。',
    'The patient number in the message is not that of its folder.',
  ],
  DOUBLE_VALID: [
    '同じ記録に有効なファイルが二つあります（新しい方を読みました）。',
    'Two files of one key are valid; the newer was read.',
  ],
  CHART_REMOVED: ['患者の登録が取り消されています。', 'The hospital removed a chart.'],
  SOURCE_AMBIGUOUS: [
    '複数の医療機関の保管場所があります。医療機関番号を設定してください。',
    'Storages of several institutions, and none is chosen.',
  ],
  SHARED_RESOURCE: [
    '患者の記録ではない共通の情報（医療機関・職員・薬品など）のため送りません。',
    'Not sent: about no patient (an organization, a practitioner, a drug).',
  ],
  SOURCE_REGRESSED: [
    '電子カルテが、前に見たものより古い内容を示しています（古い控えから戻された疑い）。確かめるまで送りません。',
    'The source shows an older version than before (put back from a backup?); held until a person looked.',
  ],
  LABEL_HELD: ['機密ラベルのため保留しました。', 'Held by its security label.'],
  SOURCE_UNREACHABLE: ['電子カルテのサーバーに接続できません。', 'The source cannot be reached.'],
  SOURCE_ANSWER_BAD: [
    '電子カルテのサーバーの応答が正しくありません。',
    'The source gave an unusable answer.',
  ],
  SOURCE_UNAUTHORIZED: ['電子カルテのサーバーに認証されません。', 'The source refused our credentials.'],

  // machines and people
  CODE_WRONG: ['登録コードが正しくありません。', 'The enrolment code is wrong.'],
  CODE_EXPIRED: ['登録コードの期限が切れています。', 'The enrolment code has expired.'],
  CODE_USED: ['登録コードは使用済みです。', 'The enrolment code was used already.'],
  NOT_ENROLLED: ['まだ登録されていません。', 'This agent is not enrolled.'],
  REQUEST_MALFORMED: ['要求の形式が正しくありません。', 'The request does not parse.'],
  TOO_OFTEN: [
    '受け付けられる回数を超えました。受け付けていません。数分待つか、病院の窓口か電話でお申し出ください。',
    'More was asked than can be taken now; nothing was kept.',
  ],
  REQUEST_STALE: [
    '時刻のずれが大きいため受け付けません。',
    'The request time is outside the allowed skew, or was replayed.',
  ],
  NOT_FOUND: ['見つかりません。', 'Not found.'],
  DISK_FULL: ['保存先の空きがありません。', 'The disk is full; nothing was accepted.'],
  NOT_ALLOWED: ['この操作は許可されていません。', 'The actor may not do this.'],
} as const satisfies Record<string, readonly [ja: string, en: string]>

export type RefusalCode = keyof typeof REFUSALS

export interface Refusal {
  code: RefusalCode
  /** Where, in terms that name no person: a file and line, a batch, a field. */
  place?: string
}

export function inJapanese(code: RefusalCode): string {
  return REFUSALS[code][0]
}

/** Of a code that another version may have written: as it stands where this one does not know it. */
export function storedInJapanese(code: string): string {
  return isRefusalCode(code) ? inJapanese(code) : code
}

export function inEnglish(code: RefusalCode): string {
  return REFUSALS[code][1]
}

export function isRefusalCode(text: string): text is RefusalCode {
  return Object.hasOwn(REFUSALS, text)
}

/** A {@link Refusal} on its way through code that throws; caught only at the edges. */
export class Refused extends Error {
  override name = 'Refused'
  readonly refusal: Refusal
  constructor(code: RefusalCode, place?: string) {
    super(place === undefined ? `${code}: ${inEnglish(code)}` : `${code} at ${place}: ${inEnglish(code)}`)
    this.refusal = place === undefined ? { code } : { code, place }
  }
}
