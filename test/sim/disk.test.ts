import { openStore } from '@kakehashi/store/store'
import { expect, test } from 'vitest'
import { Disk, type Synchronous } from './disk.ts'
import { Host } from './host.ts'
import { Net, type Weather } from './net.ts'
import { Prng } from './prng.ts'
import { World } from './world.ts'

interface Tables {
  thing: { id: number; text: string }
}
const migrations = [
  {
    name: '001-thing',
    up: () => ['CREATE TABLE thing (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT'],
  },
]

function machine(synchronous: Synchronous = 'full'): { host: Host; disk: Disk; world: World } {
  const world = new World(0)
  const host = new Host('m', world, new Prng('m'))
  return { world, host, disk: new Disk(host, 'm', null, synchronous) }
}

async function boot(host: Host, disk: Disk) {
  host.begin()
  return openStore<Tables>(disk.mount(), migrations, host.env())
}

const count = (disk: Disk): number => disk.peek<{ n: number }>('SELECT count(*) AS n FROM thing')[0]!.n

test('what a killed process committed is there, what it had open is not', async () => {
  const { host, disk } = machine()
  const store = await boot(host, disk)
  await store.bookkeep((tx) => tx.insertInto('thing').values({ id: 1, text: 'a' }).execute())
  const dying = store.bookkeep(async (tx) => {
    await tx.insertInto('thing').values({ id: 2, text: 'b' }).execute()
    host.kill()
  })
  await expect(dying).rejects.toThrow('dead')
  await boot(host, disk)
  expect(count(disk)).toBe(1)
})

test('a fuse kills at every half statement, and the row is there exactly when the commit was reached', async () => {
  let whole = 0
  for (let fuse = 0; fuse < 6; fuse++) {
    const { host, disk, world } = machine()
    const store = await boot(host, disk)
    disk.fuse = fuse
    await expect(
      store.bookkeep((tx) => tx.insertInto('thing').values({ id: 1, text: 'a' }).execute()),
    ).rejects.toThrow('dead')
    expect(host.up).toBe(false)
    await boot(host, disk)
    whole += count(disk)
    expect(world.faults.has('killed between commit and answer')).toBe(count(disk) === 1)
  }
  expect(whole).toBe(1)
})

test.each([
  ['full', 30],
  ['normal', 24],
] as const)('a power cut under synchronous=%s leaves %i of 30 rows', async (synchronous, kept) => {
  const { host, disk } = machine()
  await boot(host, disk)
  host.kill()
  const image = new Disk(host, 'copy', disk.image(), synchronous)
  const store = await boot(host, image)
  for (let id = 1; id <= 30; id++)
    await store.bookkeep((tx) => tx.insertInto('thing').values({ id, text: 'a' }).execute())
  host.cutPower()
  await boot(host, image)
  expect(count(image)).toBe(kept)
})

test('a full disk refuses with SQLITE_FULL and keeps what it had', async () => {
  const { host, disk } = machine()
  const store = await boot(host, disk)
  disk.setFull(true)
  let stored = 0
  const fill = async (): Promise<void> => {
    for (let id = 1; id < 100; id++) {
      await store.bookkeep((tx) =>
        tx
          .insertInto('thing')
          .values({ id, text: 'x'.repeat(400) })
          .execute(),
      )
      stored++
    }
  }
  await expect(fill()).rejects.toMatchObject({ errcode: 13 })
  disk.setFull(false)
  await store.bookkeep((tx) => tx.insertInto('thing').values({ id: 1000, text: 'y' }).execute())
  expect(count(disk)).toBe(stored + 1)
})

test('one write that fails fails one transaction', async () => {
  const { host, disk } = machine()
  const store = await boot(host, disk)
  disk.failing = 1
  const insert = (id: number) =>
    store.bookkeep((tx) => tx.insertInto('thing').values({ id, text: 'a' }).execute())
  await expect(insert(1)).rejects.toMatchObject({ errcode: 10 })
  await insert(2)
  expect(count(disk)).toBe(1)
})

async function exchange(
  weather: Partial<Weather>,
): Promise<{ delivered: number; answered: number; world: World }> {
  const world = new World(0)
  const net = new Net(world, new Prng('net'), {
    loss: 0,
    duplicates: 0,
    delayMs: 100,
    lateShare: 0,
    replayShare: 0,
    cutShare: 0,
    spite: 0,
    ...weather,
  })
  const a = new Host('a', world, new Prng('a'))
  const b = new Host('b', world, new Prng('b'))
  a.begin()
  b.begin()
  let delivered = 0
  let answered = 0
  for (let i = 0; i < 200; i++)
    net
      .call(a, b, `m${i}`, async () => ++delivered)
      .then(() => answered++)
      .catch(() => {})
  await world.run(30 * 24 * 3600_000, () => {})
  return { delivered, answered, world }
}

test('the network loses both ways, delivers twice, and is the same for the same seed', async () => {
  expect(await exchange({})).toMatchObject({ delivered: 200, answered: 200 })
  const lossy = await exchange({ loss: 0.3, duplicates: 0.5, lateShare: 0.1 })
  expect(lossy.delivered).toBeGreaterThan(lossy.answered)
  expect(lossy.answered).toBeLessThan(140)
  const again = await exchange({ loss: 0.3, duplicates: 0.5, lateShare: 0.1 })
  expect(again.world.traceHash()).toBe(lossy.world.traceHash())
})
