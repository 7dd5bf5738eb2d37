/** Every size, count and time limit of the protocol, with its unit in the name. */

/** Guide of the Basic Policy (基本方針): 30 days between the notice and the first provision. */
export const NOTICE_WAIT_DAYS_MIN = 30
export const NOTICE_WAIT_DAYS_MAX = 3650

export const BATCH_PLAIN_BYTES_MAX = 8 * 1024 * 1024
export const BATCH_SEALED_BYTES_MAX = 10 * 1024 * 1024
export const BATCH_RECORDS_MAX = 20_000
export const BATCH_PATIENTS_MAX = 500
export const CHUNK_PLAIN_BYTES = 64 * 1024
export const HEADER_BYTES_MAX = 64 * 1024
export const BATCH_RECIPIENTS_MAX = 2
/** One line of evidence or of a record's description inside a batch. */
export const BATCH_LINE_BYTES_MAX = 512 * 1024
/** One clinical record; larger ones are quarantined at the source. */
export const RECORD_BYTES_MAX = 4 * 1024 * 1024
export const UPLOAD_PART_BYTES_MAX = 1024 * 1024

export const CONTROL_BYTES_MAX = 256 * 1024
export const CONTROL_PAGE_MAX = 100
/** Ids, stops or hashes in one control message. */
export const CONTROL_IDS_MAX = 2000
export const STOP_LIST_PARTS_MAX = 10_000
/** Longest notice in one language, in UTF-16 units: declared whole in one message. */
export const NOTICE_TEXT_MAX = 32_000
/** A message that the vault has not said to have applied by then is said again. */
export const REPORT_AGAIN_MS = 60 * 60 * 1000
export const REQUEST_SKEW_MS_MAX = 5 * 60 * 1000

/** A socket from which nothing came for this long is taken for dead. */
export const SOCKET_SILENCE_MS_MAX = 30_000
export const SOCKET_PING_MS = 10_000
export const POLL_MS = 15_000
export const RECONNECT_MS_MIN = 500
export const RECONNECT_MS_MAX = 60_000

/** A signed status list of operators older than this is no longer believed. */
export const OPERATOR_STATUS_AGE_MS_MAX = 7 * 24 * 3600 * 1000
/** The clock may run behind the latest time seen by this much before every decision denies. */
export const CLOCK_BACKSTEP_MS_MAX = 2 * 60 * 1000

export const ENROLMENT_CODE_HOURS_MAX = 72
export const STOP_TOKEN_BYTES = 16
export const UNDO_MS_MAX = 10 * 60 * 1000
