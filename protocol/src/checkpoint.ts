import sodium from 'libsodium-wrappers'
import type { Instant } from './env.ts'
import { sha256, toBase64, type SigningKey } from './signing.ts'

await sodium.ready

/**
 * Checkpoints of a Merkle log in the C2SP forms tlog-checkpoint, signed-note and tlog-cosignature:
 *
 *     origin
 *     size
 *     root, base64
 *
 *     — name base64(4 bytes of key hash ‖ signature)
 *
 * The log's key has the origin as its name.
 */
export interface Checkpoint {
  size: number
  root: Uint8Array
}

const NOTE_BYTES_MAX = 16 * 1024
const ED25519 = 0x01
const COSIGNATURE = 0x04
const NAME = /^[^\s+\p{Cc}]{1,200}$/u
const NOT_A_NAME = 'a log or witness name has no spaces or plus signs'

export function signCheckpoint(origin: string, size: number, root: Uint8Array, key: SigningKey): string {
  if (!NAME.test(origin)) throw new TypeError(NOT_A_NAME)
  if (!Number.isSafeInteger(size) || size < 0 || root.length !== 32) throw new TypeError('not a checkpoint')
  const text = `${origin}\n${size}\n${toBase64(root)}\n`
  const signature = sodium.crypto_sign_detached(text, key.secret)
  return `${text}\n${signatureLine(origin, ED25519, key.public, signature)}`
}

/** The checkpoint, if the log's own signature verifies; `null` for anything else. Never throws. */
export function verifyCheckpoint(note: string, origin: string, publicKey: Uint8Array): Checkpoint | null {
  const read = readNote(note)
  if (read === null || read.origin !== origin) return null
  const signature = read.signatureOf(origin, ED25519, publicKey)
  if (signature?.length !== 64 || !verifies(read.text, signature, publicKey)) return null
  return { size: read.size, root: read.root }
}

/** Adds a witness's signature, dated to the second: "I saw no checkpoint that contradicts this one". */
export function cosignCheckpoint(note: string, witness: string, key: SigningKey, now: Instant): string {
  if (!NAME.test(witness)) throw new TypeError(NOT_A_NAME)
  const read = readNote(note)
  if (read === null) throw new TypeError('not a checkpoint')
  const time = BigInt(Math.floor(now / 1000))
  const stamp = Buffer.alloc(8)
  stamp.writeBigUInt64BE(time)
  const signature = sodium.crypto_sign_detached(cosigned(read.text, time), key.secret)
  return note + signatureLine(witness, COSIGNATURE, key.public, Buffer.concat([stamp, signature]))
}

/** When the witness signed, or `null` if it did not. Never throws. */
export function verifyCosignature(note: string, witness: string, publicKey: Uint8Array): Instant | null {
  const read = readNote(note)
  const blob = read?.signatureOf(witness, COSIGNATURE, publicKey)
  if (!read || blob?.length !== 72) return null
  const time = Buffer.from(blob).readBigUInt64BE(0)
  if (time > BigInt(Number.MAX_SAFE_INTEGER) / 1000n) return null
  return verifies(cosigned(read.text, time), blob.subarray(8), publicKey) ? Number(time) * 1000 : null
}

/** First four bytes of SHA-256 over the key's name, a line feed, the kind of signature and the public key. */
export function noteKeyHash(name: string, kind: number, publicKey: Uint8Array): Uint8Array {
  return sha256(`${name}\n`, new Uint8Array([kind]), publicKey).subarray(0, 4)
}

/** The verifier key as other tools of the same form take it: `name+hash+base64`. */
export function verifierKey(name: string, publicKey: Uint8Array): string {
  const hash = Buffer.from(noteKeyHash(name, ED25519, publicKey)).toString('hex')
  return `${name}+${hash}+${toBase64(Buffer.concat([Buffer.from([ED25519]), publicKey]))}`
}

function signatureLine(name: string, kind: number, publicKey: Uint8Array, signature: Uint8Array): string {
  return `— ${name} ${toBase64(Buffer.concat([noteKeyHash(name, kind, publicKey), signature]))}\n`
}

function cosigned(text: string, seconds: bigint): string {
  return `cosignature/v1\ntime ${seconds}\n${text}`
}

function verifies(text: string, signature: Uint8Array, publicKey: Uint8Array): boolean {
  return publicKey.length === 32 && sodium.crypto_sign_verify_detached(signature, text, publicKey)
}

interface Note extends Checkpoint {
  origin: string
  /** What is signed: all lines before the empty one. */
  text: string
  signatureOf(name: string, kind: number, publicKey: Uint8Array): Uint8Array | null
}

function readNote(note: string): Note | null {
  if (note.length > NOTE_BYTES_MAX) return null
  const split = note.indexOf('\n\n')
  if (split < 0 || !note.endsWith('\n')) return null
  const text = note.slice(0, split + 1)
  const [origin, size, root, ...rest] = text.split('\n')
  if (origin === undefined || size === undefined || root === undefined || rest.length !== 1) return null
  if (!NAME.test(origin) || !/^(0|[1-9]\d{0,14})$/.test(size) || !/^[A-Za-z0-9+/]{43}=$/.test(root))
    return null
  const lines = note
    .slice(split + 2)
    .split('\n')
    .slice(0, -1)
  const signatures = lines.map((line) => /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/.exec(line))
  if (signatures.length === 0 || signatures.includes(null)) return null
  return {
    origin,
    text,
    size: Number(size),
    root: new Uint8Array(Buffer.from(root, 'base64')),
    signatureOf(name, kind, publicKey) {
      const hash = noteKeyHash(name, kind, publicKey)
      for (const line of signatures) {
        const blob = new Uint8Array(Buffer.from(line?.[2] ?? '', 'base64'))
        if (line?.[1] === name && Buffer.compare(blob.subarray(0, 4), hash) === 0) return blob.subarray(4)
      }
      return null
    },
  }
}
