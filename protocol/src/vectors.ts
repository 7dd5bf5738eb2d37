import { readFileSync } from 'node:fs'

/** Golden vectors of `protocol/vectors`, for the tests of both sides. Each file says in `about` how to read it. */
export function vectors<T>(name: string): T {
  return JSON.parse(Buffer.from(vectorBytes(`${name}.json`)).toString('utf8')) as T
}

export function vectorBytes(file: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../vectors/${file}`, import.meta.url)))
}
