import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { canonical } from '@kakehashi/protocol/canonical'
import {
  open,
  sha256Hex,
  sign,
  type Signed,
  type SigningKey,
  type Verified,
} from '@kakehashi/protocol/signing'
import { z } from 'zod'

export const MANIFEST = 'manifest.json'
const DOMAIN = 'release-manifest'

const file = z.strictObject({ path: z.string(), bytes: z.number().int(), sha256: z.string() })

const manifestShape = z.strictObject({
  version: z.literal(1),
  release: z.string(),
  build: z.string(),
  title: z.string(),
  madeAt: z.string(),
  profile: z.strictObject({ name: z.string(), version: z.number(), hash: z.string() }),
  application: z.string(),
  tables: z.array(z.strictObject({ name: z.string(), rows: z.number().int(), files: z.array(z.string()) })),
  k: z.strictObject({ wanted: z.number(), smallest: z.number() }),
  files: z.array(file),
})

export type Manifest = z.infer<typeof manifestShape>
export type ListedFile = z.infer<typeof file>

const signedShape = z.strictObject({ body: manifestShape, key: z.string(), signature: z.string() })

/** Lists and hashes every file of the package and signs the list. Returns the digest that votes are bound to. */
export async function signPackage(
  directory: string,
  about: Omit<Manifest, 'version' | 'files'>,
  key: SigningKey,
): Promise<string> {
  const manifest: Manifest = { version: 1, ...about, files: await listFiles(directory) }
  await writeFile(join(directory, MANIFEST), `${JSON.stringify(sign(DOMAIN, manifest, key), null, 1)}\n`)
  return packageDigest(manifest)
}

export function packageDigest(manifest: Manifest): string {
  return sha256Hex('kakehashi/package\0', canonical(manifest))
}

/** The manifest if `publicKey` signed it, else `null`. */
export async function readManifest(
  directory: string,
  publicKey: Uint8Array,
): Promise<Verified<Manifest> | null> {
  const parsed = signedShape.safeParse(JSON.parse(await readFile(join(directory, MANIFEST), 'utf8')))
  return parsed.success ? open(DOMAIN, parsed.data as Signed<Manifest>, publicKey) : null
}

export async function listFiles(folder: string): Promise<ListedFile[]> {
  const directory = resolve(folder)
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((e) => !e.isDirectory())
    .map((e) => join(e.parentPath, e.name).slice(directory.length + 1))
    .filter((path) => path !== MANIFEST)
    .toSorted()
  const files: ListedFile[] = []
  for (const path of paths) {
    const full = join(directory, path)
    files.push({ path, bytes: (await stat(full)).size, sha256: await hashFile(full) })
  }
  return files
}

export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of createReadStream(path)) hash.update(part as Uint8Array)
  return hash.digest('hex')
}
