import { addDays, startOfDay } from '@kakehashi/protocol/rules/calendar'

export function* ndjson(values: Iterable<unknown>): Generator<string> {
  for (const value of values) yield `${JSON.stringify(value)}\n`
}

/** The days of a period, both included, as instants. */
export const range = ({ from, to }: { from: string; to: string }) =>
  [startOfDay(from), startOfDay(addDays(to, 1))] as const
