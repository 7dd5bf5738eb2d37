import type { Env } from '@kakehashi/protocol/env'
import { toHex } from '@kakehashi/protocol/signing'
import { createHmac } from 'node:crypto'

export interface Disguise {
  pseudonym: string
  offsetDays: number
}

const RANDOM_BYTES = 10
const MARK_BYTES = 6

/**
 * A fresh pseudonym: ten random bytes and a six-byte mark of the recipient made from those bytes alone. It derives
 * from nothing about the person; a leaked pseudonym tells which package it is from.
 */
export function newPseudonym(env: Env, fingerprint: Uint8Array): string {
  const random = env.random(RANDOM_BYTES)
  return `p${toHex(Buffer.concat([random, markOf(random, fingerprint)]))}`
}

export function isFrom(pseudonym: string, fingerprint: Uint8Array): boolean {
  const bytes = Buffer.from(pseudonym.slice(1), 'hex')
  if (!pseudonym.startsWith('p') || bytes.length !== RANDOM_BYTES + MARK_BYTES) return false
  return markOf(bytes.subarray(0, RANDOM_BYTES), fingerprint).equals(bytes.subarray(RANDOM_BYTES))
}

function markOf(random: Uint8Array, fingerprint: Uint8Array): Buffer {
  return createHmac('sha256', fingerprint).update(random).digest().subarray(0, MARK_BYTES)
}

/** Uniform over ±range, never zero, in steps of `multipleOf` days; drawn, never derived. */
export function newOffset(env: Env, dates: { rangeDays: number; multipleOf: number }): number {
  const steps = Math.floor(dates.rangeDays / dates.multipleOf)
  const choices = 2 * steps
  const limit = 0x1_0000_0000 - (0x1_0000_0000 % choices)
  for (;;) {
    const drawn = Buffer.from(env.random(4)).readUInt32BE()
    if (drawn >= limit) continue
    const pick = (drawn % choices) - steps
    return (pick >= 0 ? pick + 1 : pick) * dates.multipleOf
  }
}

export function newDisguise(
  env: Env,
  fingerprint: Uint8Array,
  dates: { rangeDays: number; multipleOf: number },
): Disguise {
  return { pseudonym: newPseudonym(env, fingerprint), offsetDays: newOffset(env, dates) }
}
