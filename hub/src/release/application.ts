import { canonical } from '@kakehashi/protocol/canonical'
import { sha256Hex } from '@kakehashi/protocol/signing'
import { z } from 'zod'
import { profileShape, type Profile } from '../anonymization/profile.ts'

const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/)

/** 提供の申請: what reviewers read. Names of organisations may stand here; names of patients never. */
export const applicationShape = z.strictObject({
  title: z.string().min(1).max(200),
  purpose: z.string().min(1).max(4000),
  recipient: z.strictObject({
    name: z.string().min(1).max(200),
    /** X25519 public key the package is sealed to, base64. */
    key: z.string().min(40).max(48),
  }),
  /** 共用の範囲 by contract. */
  sharing: z.string().max(1000).default(''),
  /** Ages are told for this day. */
  asOf: date,
  cohort: z.strictObject({
    /** Persons with any of these diagnoses; `null`: everyone linked. */
    diagnoses: z.strictObject({ system: z.string(), prefixes: z.array(z.string()).min(1) }).nullable(),
    /** Events outside are left out before any date is shifted. */
    window: z.strictObject({ from: date, to: date }).nullable(),
  }),
})

export type Application = z.infer<typeof applicationShape>

/** What votes are bound to: purpose, cohort, items, rules and recipient. Any change makes another digest. */
export function applicationDigest(application: Application, profile: Profile, revision: number): string {
  return sha256Hex('kakehashi/application\0', canonical({ application, profile, revision }))
}

export function readApplication(text: string): Application {
  return applicationShape.parse(JSON.parse(text))
}

export function readStoredProfile(text: string): Profile {
  return profileShape.parse(JSON.parse(text))
}
