import { sampleNotice } from '@kakehashi/agent/register/sample-notice'
import type { OperatorId } from '@kakehashi/protocol/ids'
import type { NoticeContent } from '@kakehashi/protocol/notice-content'

/** The notice of the tests' hospital; images are not among its items. */
export function noticeNaming(operator: OperatorId, more: Partial<NoticeContent> = {}): NoticeContent {
  return sampleNotice({
    track: 'ANON',
    handler: { name: '医療法人みどり会', address: '東京都新宿区1-1', representative: '緑 一郎' },
    facility: { name: 'みどり病院', address: '東京都新宿区1-1', phone: '03-0000-0000' },
    operators: [{ operator, name: '認定事業者', address: '東京都千代田区1-1', phone: '0120-000-000' }],
    items: ['identity', 'encounter', 'diagnosis', 'laboratory', 'medication', 'observation'],
    plannedStart: '2026-02-01',
    ...more,
  })
}
