/** Bounds of what one gateway keeps; nothing in it grows without one. */
export const CONTROL_WAITING_MAX = 20_000
export const PARTIAL_BATCHES_PER_AGENT_MAX = 32
export const STORED_BATCHES_PER_AGENT_MAX = 50_000
export const PARTIAL_AGE_MS_MAX = 7 * 24 * 3600 * 1000
/** Longer than a signed request is believed, so that no part of it can come later. */
export const ABANDONED_AGE_MS_MAX = 24 * 3600 * 1000
export const DONE_AGE_MS_MAX = 400 * 24 * 3600 * 1000
export const ENROLMENTS_OPEN_MAX = 1000
export const ENROLMENT_TRIES_PER_MINUTE_MAX = 30
export const LIST_MAX = 200
export const SESSIONS_PER_AGENT_MAX = 4
export const STORED_BYTES_MAX_DEFAULT = 200 * 1024 * 1024 * 1024
