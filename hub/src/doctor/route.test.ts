import { expect, test } from 'vitest'
import { defaultRoutes, refuseOpenRoute } from './route.ts'

const HEADER = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n'
const OPEN = `${HEADER}eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n`
const CLOSED = `${HEADER}eth1\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n`
const V6_OPEN =
  '00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n'
const V6_REJECT =
  '00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n'

test('T57 core route: with a default route the production profile refuses to start and says why', () => {
  expect(() => refuseOpenRoute('production', () => ({ v4: OPEN, v6: '' }))).toThrow(/既定の経路.*eth0/)
  expect(() => refuseOpenRoute('production', () => ({ v4: CLOSED, v6: V6_OPEN }))).toThrow(/eth0/)
})

test('T57 without one, or in a trial, it starts', () => {
  expect(() => refuseOpenRoute('production', () => ({ v4: CLOSED, v6: V6_REJECT }))).not.toThrow()
  expect(() => refuseOpenRoute('trial', () => ({ v4: OPEN, v6: V6_OPEN }))).not.toThrow()
})

test('a route that is down is none', () => {
  expect(defaultRoutes(() => ({ v4: OPEN.replace('0003', '0002'), v6: '' }))).toEqual([])
})
