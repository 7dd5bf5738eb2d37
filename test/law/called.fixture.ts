import type { NamedAsk } from '@kakehashi/hub/requests/intake'

/** Somebody the operator's desk hears on the telephone: a name, and nothing confirmed. */
export const CALLED: NamedAsk = {
  person: {
    ...{ name: '山田 太郎', kana: 'ヤマダ タロウ', birthDate: null, number: null },
    ...{ requesterName: '山田 太郎', relation: null, contact: null },
  },
  ...{ requester: 'person', channel: 'phone', facilities: null, tracks: null },
  ...{ identityCheck: 'none', erasureWanted: false, by: 'desk' },
}
