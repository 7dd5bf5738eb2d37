import { hash } from 'node:crypto'
import { Refused } from '@kakehashi/protocol/refusals'
import { z } from 'zod'
import type { FhirClient } from '../client.ts'
import { linkOf, nextUrl } from '../links.ts'

export interface ExportFile {
  url: string
  /** As the manifest says; `null`: it does not. */
  type: string | null
  count: number | null
  /** Stands for the URL, which may be signed, wherever it is kept or said. */
  print: string
  credentials: boolean
}

export interface Manifest {
  transactionTime: string
  output: ExportFile[]
  deleted: ExportFile[]
  error: ExportFile[]
  next: string | null
}

const item = z.object({
  url: z.string().min(1),
  type: z.string().nullish(),
  count: z.number().int().nonnegative().nullish(),
})
const shape = z.object({
  transactionTime: z.string().refine((text) => !Number.isNaN(Date.parse(text))),
  requiresAccessToken: z.boolean().optional(),
  output: z.array(item).default([]),
  deleted: z.array(item).nullish(),
  error: z.array(item).nullish(),
})

/** Throws {@link Refused} for what is no manifest, and for files that would need our credentials on another host. */
export function readManifest(value: unknown, asked: string, base: string): Manifest {
  const told = shape.safeParse(value)
  if (!told.success) throw new Refused('SOURCE_ANSWER_BAD', '$export manifest')
  // absent in the first version of the guide, where files were asked for with the token
  const credentials = told.data.requiresAccessToken !== false
  const files = (list: readonly z.infer<typeof item>[] | null | undefined) =>
    (list ?? []).map((one) => fileOf(one, { asked, base, credentials }))
  const next = linkOf(value, 'next')
  return {
    transactionTime: told.data.transactionTime,
    output: files(told.data.output),
    deleted: files(told.data.deleted),
    error: files(told.data.error),
    next: next === null ? null : nextUrl(next, asked, base),
  }
}

function fileOf(
  { url, type, count }: z.infer<typeof item>,
  { asked, base, credentials }: { asked: string; base: string; credentials: boolean },
): ExportFile {
  const to = URL.canParse(url, asked) ? new URL(url, asked) : null
  const here = new URL(base)
  if (to === null || (to.protocol !== 'https:' && to.protocol !== here.protocol))
    throw new Refused('SOURCE_ANSWER_BAD', '$export manifest (file without https)')
  if (credentials && to.origin !== here.origin)
    throw new Refused('SOURCE_ANSWER_BAD', '$export manifest (file on another host)')
  // what changes from one signature to the next is not part of the file's name
  const print = hash('sha256', `${to.origin}${to.pathname}`, 'hex').slice(0, 32)
  return { url: to.href, type: type ?? null, count: count ?? null, print, credentials }
}

const PAGES_MAX = 10_000

/** The other pages of a manifest, after its first. */
export async function* furtherPages(
  client: FhirClient,
  first: Manifest,
  signal: AbortSignal,
): AsyncGenerator<Manifest> {
  const asked = new Set<string>()
  for (let at = first.next; at !== null;) {
    if (asked.has(at) || asked.size >= PAGES_MAX)
      throw new Refused('SOURCE_ANSWER_BAD', '$export manifest (next link repeats)')
    asked.add(at)
    const answer = await client.ask({ url: at, place: '$export manifest', headers: JSON_ANSWER }, signal)
    if (answer.status !== 200) throw new Refused('SOURCE_ANSWER_BAD', `$export manifest (${answer.status})`)
    const page = readManifest(answer.value, at, client.base)
    yield page
    at = page.next
  }
}

export const JSON_ANSWER = { accept: 'application/json' }
