import { ITEM_CLASSES, type LocalDate } from '@kakehashi/protocol/rules/state'
import { z } from 'zod'
import type { NoticeWords } from './notice-words.ts'

const Day = z.custom<LocalDate>((value) => z.iso.date().safeParse(value).success)

/** What a hospital's declaration tells of its notice; its words travel apart. The paper governs. */
export const Notice = z.strictObject({
  provider: z.strictObject({
    name: z.string().max(200),
    address: z.string().max(400),
    representative: z.string().max(200),
  }),
  waitDays: z.number().int(),
  tracks: z
    .array(
      z.strictObject({
        track: z.enum(['ANON', 'PSEUDO']),
        items: z.array(z.enum(ITEM_CLASSES)),
        filedOn: Day,
      }),
    )
    .max(2),
})
export type NoticeFacts = z.infer<typeof Notice>

export interface HospitalNotice {
  name: string
  notice: NoticeFacts | null
  words: NoticeWords[]
}
