import { createReadStream } from 'node:fs'
import { appendFile, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import {
  fromBase64,
  keyIdOf,
  open as openSigned,
  openSealed,
  sealTo,
  sign,
  toBase64,
  type BoxKey,
  type Signed,
  type SigningKey,
} from '@kakehashi/protocol/signing'
import type { Env } from '@kakehashi/protocol/env'
import { openFile, sealFile } from '../content/sealed-file.ts'
import { hashFile, listFiles, MANIFEST } from './manifest.ts'

/** What lies beside the sealed file: for whom it is, and the key in a box only they can open. Signed by the vault. */
export interface ParcelLabel {
  release: string
  packageDigest: string
  sha256: string
  recipient: string
  box: string
}

const DOMAIN = 'release-parcel'
const FILE = 'package.sealed'
const LABEL = 'package.label.json'

/** Packs the package into one file, seals it under a random key, and boxes that key to the user's X25519 key. */
export async function sealParcel(
  directory: string,
  to: string,
  about: { release: string; packageDigest: string; recipientKey: string },
  signing: SigningKey,
  env: Env,
): Promise<ParcelLabel> {
  const publicKey = fromBase64(about.recipientKey)
  await rm(to, { recursive: true, force: true })
  await mkdir(to, { recursive: true, mode: 0o700 })
  const packed = join(to, 'package.packed')
  const secret = env.random(32)
  await pack(directory, packed)
  const sealed = await sealFile(packed, join(to, FILE), secret, about.packageDigest)
  await rm(packed)
  const label: ParcelLabel = {
    release: about.release,
    packageDigest: about.packageDigest,
    sha256: sealed.sha256,
    recipient: keyIdOf(publicKey),
    box: toBase64(sealTo(publicKey, secret)),
  }
  await writeFile(join(to, LABEL), `${JSON.stringify(sign(DOMAIN, label, signing), null, 1)}\n`)
  return label
}

/** The user's side: checks the vault's signature, opens the box, unpacks. `null` when it is not for this key. */
export async function openParcel(
  parcel: string,
  key: BoxKey,
  vaultPublic: Uint8Array,
  to: string,
): Promise<ParcelLabel | null> {
  const signed = JSON.parse(await readFile(join(parcel, LABEL), 'utf8')) as Signed<ParcelLabel>
  const label = openSigned(DOMAIN, signed, vaultPublic)
  if (!label || (await hashFile(join(parcel, FILE))) !== label.sha256) return null
  const secret = openSealed(fromBase64(label.box), key)
  if (!secret) return null
  const packed = `${to}.packed`
  await openFile(join(parcel, FILE), packed, secret, label.packageDigest)
  await unpack(packed, to)
  await rm(packed)
  return label
}

/** `path bytes\n`, then the bytes; no times, no owners. */
async function pack(directory: string, to: string): Promise<void> {
  await writeFile(to, '', { mode: 0o600 })
  for (const path of [MANIFEST, ...(await listFiles(directory)).map((f) => f.path)]) {
    const full = join(directory, path)
    await appendFile(to, `${JSON.stringify({ path, bytes: (await stat(full)).size })}\n`)
    for await (const part of createReadStream(full)) await appendFile(to, part as Uint8Array)
  }
}

const HEAD_BYTES_MAX = 4096

async function unpack(packed: string, to: string): Promise<void> {
  const fresh = `${to}.part`
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh, { recursive: true, mode: 0o700 })
  await using file = await open(packed, 'r')
  const { size } = await file.stat()
  for (let at = 0; at < size;) {
    const head = Buffer.alloc(Math.min(HEAD_BYTES_MAX, size - at))
    await file.read(head, 0, head.length, at)
    const end = head.indexOf('\n')
    const { path, bytes } = JSON.parse(head.subarray(0, end).toString()) as { path: string; bytes: number }
    const target = resolve(fresh, path)
    if (!target.startsWith(resolve(fresh) + sep))
      throw new Error('a parcel may not write outside its directory')
    await mkdir(dirname(target), { recursive: true })
    const from = at + end + 1
    await using out = await open(target, 'wx')
    for (let done = 0; done < bytes;) {
      const part = Buffer.alloc(Math.min(1 << 20, bytes - done))
      const { bytesRead } = await file.read(part, 0, part.length, from + done)
      if (bytesRead === 0) throw new Error('the parcel is cut short')
      await out.write(part.subarray(0, bytesRead))
      done += bytesRead
    }
    at = from + bytes
  }
  await rm(to, { recursive: true, force: true })
  await rename(fresh, to)
}
