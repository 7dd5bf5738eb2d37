import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { postgresPrograms } from './postgres.ts'

/** What some tests need beyond Node and the package registry. */
export interface Part {
  name: string
  found: string | null
  serves: string
  get: string
}

const ROOT = join(import.meta.dirname, '../..')

export function sharedFolder(): string | null {
  const path = process.env['KAKEHASHI_SHARED'] ?? join(ROOT, '../shared')
  return existsSync(join(path, 'data/ehr')) ? path : null
}

export function chromium(): string | null {
  const known = [
    process.env['KAKEHASHI_CHROMIUM'],
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ]
  return known.find((path) => path !== undefined && existsSync(path)) ?? null
}

export function parts(): Part[] {
  return [
    {
      name: 'Chromium',
      found: chromium(),
      serves: 'pages opened, photographed and checked for accessibility (test/look)',
      get: 'apt-get install -y chromium fonts-noto-cjk, or KAKEHASHI_CHROMIUM=/path/to/chromium',
    },
    {
      name: 'PostgreSQL 15 or later',
      found: postgresPrograms(),
      serves: "the hub's tests on its production database (project hub-postgres)",
      get: 'apt-get install -y postgresql',
    },
    {
      name: 'the shared data folder',
      found: sharedFolder(),
      serves: 'readers and the demonstration on data that none of us wrote',
      get: 'lay it beside the checkout as ../shared, or KAKEHASHI_SHARED=/path/to/shared',
    },
  ]
}
