import type { NoticeLanguage } from '@kakehashi/protocol/notice-content'
import type { HospitalNotice, NoticeFacts } from '../notice.ts'
import type { RequestState } from '../states.ts'
import { portalPages } from './app.ts'
import type { StopByNumber } from './number-pages.ts'
import type { Question } from './question-pages.ts'
import type { StopByToken } from './token-pages.ts'

export const TOKEN = '0123456789ABCDEFGHJKMNPQRS'
const STATES: Record<string, RequestState> = {
  'ABCDE-FGHJK': {
    byToken: true,
    erasureAsked: true,
    asked: '2026-07-01',
    passed: '2026-07-02',
    held: '2026-07-03',
    erased: '2026-07-04',
    lifted: null,
  },
  'ABCDE-22222': {
    byToken: false,
    erasureAsked: true,
    asked: '2026-07-01',
    passed: null,
    held: null,
    erased: null,
    lifted: null,
  },
}
const NOTICE: NoticeFacts = {
  provider: { name: '医療法人架空会', address: '東京都港区1', representative: '架空 太郎' },
  waitDays: 30,
  tracks: [{ track: 'ANON', items: ['diagnosis', 'laboratory'], filedOn: '2026-04-10' }],
}

const IN_JAPANESE =
  '医療情報の提供についてのお知らせ\n\n1　提供する者\n医療法人架空会\n東京都港区1\n\n6　提供の停止\nいつでも停止します。'
const WORDS: Partial<Record<NoticeLanguage, string>> = {
  ja: IN_JAPANESE,
  'ja-easy': '{病院|びょういん}からの お{知|し}らせ\n\n<b>いつでも</b> やめられます。',
  en: 'A notice about medical information\n\n1. Who provides\nMedical corporation Kakuu',
}

/** One hospital, which published in three languages. */
function noticeOf(facility: string, language: NoticeLanguage): HospitalNotice | null {
  if (facility !== 'hospital-a') return null
  const found = WORDS[language] === undefined ? 'ja' : language
  const words = { track: 'ANON' as const, language: found, text: WORDS[found] ?? IN_JAPANESE }
  return { name: '架空病院', notice: NOTICE, words: [words] }
}

/** The pages over a portal that only remembers what it was asked. */
export function portal() {
  const taken: StopByToken[] = []
  const numbers: StopByNumber[] = []
  const questions: Question[] = []
  const app = portalPages({
    operator: { name: '試験機構', address: '東京都港区1', phone: '0120-111-222' },
    https: true,
    takeStop: async (asked) => {
      taken.push(asked)
      return { receipt: `R-${taken.length}-AAAA` }
    },
    hospitals: async () => [{ facility: 'hospital-a', name: '架空病院' }],
    takeNumberStop: async (asked) => {
      numbers.push(asked)
      return { receipt: `R-${numbers.length}-AAAA` }
    },
    takeQuestion: async (asked) => {
      questions.push(asked)
      return { receipt: 'ABCDE-FGHJK' }
    },
    stateOf: async ({ receipt }) => STATES[receipt] ?? 'unknown',
    noticeOf: async (facility, language) => noticeOf(facility, language),
  })
  const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
    app.request(path, { method: 'POST', body: new URLSearchParams(form), headers })
  return { app, post, taken, numbers, questions }
}
