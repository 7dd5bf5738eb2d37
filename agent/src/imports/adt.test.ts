import { connect } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { patientStateOf } from '../register/read.ts'
import { importAdt } from './adt.ts'
import { readMessage } from './hl7.ts'
import { listenForAdt } from './listener.ts'
import { readMapping } from './mapping.ts'
import { acknowledge, Frames } from './mllp.ts'
import { keyOf, registerOfMidori } from './world.fixture.ts'

const mapping = readMapping(null)
type Ward = Awaited<ReturnType<typeof registerOfMidori>>

interface Told {
  event?: string
  number?: string
  visit?: string
  at?: string
  extra?: string[]
  control?: string
}

function adt(told: Told = {}): string {
  const { event = 'A04', number = '00001001', visit = 'V-1', at = '20261125081000', control = 'M-1' } = told
  return [
    `MSH|^~\\&|KIOSK|MIDORI|KAKEHASHI|MIDORI|${at}||ADT^${event}^ADT_A01|${control}|P|2.5||||||~ISO IR87`,
    `EVN|${event}|${at}`,
    `PID|1||${number}^^^MIDORI^PI||山田^花子^^^^^L^I~ヤマダ^ハナコ^^^^^L^P`,
    `PV1|1|O|||||||||||||||||${visit}`,
    ...(told.extra ?? ['ZNT|1']),
    '',
  ].join('\r')
}

const bring = (ward: Ward, ...messages: string[]) =>
  importAdt(ward, { bytes: Buffer.from(messages.join('')), mapping, by: 's-07' })

const standing = async (ward: Ward, number = '00001001') =>
  (await patientStateOf(ward.store.db, keyOf(number))).notices.map((n) => n.standing)

test('T8 an ADT event says "notice handed out"; A11 cancels the visit and the notice with it', async () => {
  const ward = await registerOfMidori()
  expect(await bring(ward, adt())).toMatchObject({ messages: 1, recorded: 1, refused: [] })
  expect(await standing(ward)).toEqual(['pending'])
  expect(await bring(ward, adt({ event: 'A11', extra: [] }))).toMatchObject({ cancelled: 1 })
  expect(await standing(ward)).toEqual(['void'])
  expect(await bring(ward, adt({ event: 'A11', extra: [] }), adt())).toMatchObject({
    known: 1,
    refused: [{ reason: 'VISIT_CANCELLED' }],
  })
})

test('T8 a cancellation that overtakes its visit still cancels it (A38)', async () => {
  const ward = await registerOfMidori()
  expect(await bring(ward, adt({ event: 'A38', extra: [] }), adt({ event: 'A05' }))).toMatchObject({
    cancelled: 1,
    recorded: 0,
    refused: [{ line: 5, reason: 'VISIT_CANCELLED' }],
  })
  expect(await standing(ward)).toEqual([])
})

test('the same message again, and another of the same visit, record nothing more', async () => {
  const ward = await registerOfMidori()
  const all = await bring(ward, adt(), adt(), adt({ event: 'A01', control: 'M-2' }))
  expect(all).toMatchObject({ recorded: 1, known: 2 })
  expect(await standing(ward)).toEqual(['pending'])
})

test('what means "handed out" is the hospital’s to say: an observation, both its halves in one segment', async () => {
  const ward = await registerOfMidori()
  const own = readMapping(
    JSON.stringify({
      adt: {
        notice: [
          { at: 'OBX-3.1', is: ['NOTICE'] },
          { at: 'OBX-5', is: ['Y'] },
        ],
        recipient: 'ZNR-1',
        staff: 'EVN-5.1',
        handed: true,
      },
    }),
  )
  const take = (...extra: string[]) =>
    importAdt(ward, { bytes: Buffer.from(adt({ visit: `V-${extra.length}`, extra })), mapping: own, by: 's' })
  expect(await take('OBX|1|ST|NOTICE||N', 'OBX|2|ST|FALLRISK||Y')).toMatchObject({ other: 1 })
  expect(await take('OBX|1|ST|NOTICE^通知||Y', 'ZNR|本人と保護者', 'NTE|1')).toMatchObject({ recorded: 1 })
  expect(await standing(ward)).toEqual(['effective', 'effective'])
  expect(await take('OBX|1|ST|NOTICE||Y', 'ZNR|だれか', 'NTE|1', 'NTE|2')).toMatchObject({
    refused: [{ reason: 'RECIPIENT_UNKNOWN' }],
  })
})

test('messages in ISO-2022-JP, and times with a zone, are read', async () => {
  const ward = await registerOfMidori()
  const jis = Buffer.concat([
    Buffer.from(adt({ at: '202611242310+0000', number: '00001002' }).replace(/山田.*/, '')),
  ])
  const withName = Buffer.from(jis.toString('latin1').replace('PI||', `PI||\u001b$B;3ED\u001b(B^`), 'latin1')
  expect(await importAdt(ward, { bytes: withName, mapping, by: 's' })).toMatchObject({ recorded: 1 })
  const [notice] = (await patientStateOf(ward.store.db, keyOf('00001002'))).notices
  expect(notice?.deliveredAt).toBe(Date.parse('2026-11-25T08:10:00+09:00'))
})

test('refusals name the message and nothing in it', async () => {
  const ward = await registerOfMidori()
  const report = await bring(
    ward,
    adt({ number: '9999' }),
    adt({ number: '' }),
    adt({ at: 'きのう' }),
    adt().replace('ADT^A04', 'ORU^R01'),
    'MSH|broken\r',
  )
  expect(report.refused.map((one) => one.reason)).toEqual([
    'PATIENT_UNKNOWN',
    'PATIENT_EMPTY',
    'DATE_UNREADABLE',
    'NOT_ADT',
    'MESSAGE_MALFORMED',
  ])
  expect(JSON.stringify(report)).not.toMatch(/山田|9999|ヤマダ/)
})

test('over MLLP: AA when taken, AE with our reason when not, AR when it is too long; order is kept', async () => {
  const ward = await registerOfMidori()
  const listening = await listenForAdt(ward, { mapping, by: 's', host: '127.0.0.1', port: 0 })
  const framed = (text: string) => Buffer.concat([Buffer.of(0x0b), Buffer.from(text), Buffer.of(0x1c, 0x0d)])
  const socket = connect(listening.port, '127.0.0.1')
  const answers: string[] = []
  const frames = new Frames()
  const three = new Promise<void>((done) => {
    socket.on('data', (chunk) => {
      for (const frame of frames.feed(Buffer.from(chunk)))
        if (frame.t === 'message') answers.push(Buffer.from(frame.bytes).toString())
      if (answers.length === 4) done()
    })
  })
  socket.write(framed(adt({ control: 'C-1' })))
  socket.write(framed(adt({ control: 'C-2', number: '9999' })))
  socket.write(framed('x'.repeat(1024 * 1024 + 1)))
  socket.write(framed(adt({ control: 'C-3', event: 'A08', extra: [] })))
  await three
  expect(answers.map((text) => text.split('\r')[1])).toEqual([
    'MSA|AA|C-1|',
    'MSA|AE|C-2|PATIENT_UNKNOWN',
    'MSA|AR||TOO_LONG',
    'MSA|AA|C-3|',
  ])
  expect(await standing(ward)).toEqual(['pending'])
  socket.destroy()
  await listening.close()
})

test('a stream cut anywhere gives the same frames', () => {
  const messages = fc.array(
    fc.uint8Array({ maxLength: 20 }).map((b) => b.filter((x) => x > 0x1c)),
    { maxLength: 5 },
  )
  fc.assert(
    fc.property(messages, fc.integer({ min: 1, max: 7 }), (all, step) => {
      const stream = Buffer.concat(
        all.map((m) => Buffer.concat([Buffer.of(0x0b), Buffer.from(m), Buffer.of(0x1c, 0x0d)])),
      )
      const frames = new Frames()
      const found: string[] = []
      for (let at = 0; at < stream.length; at += step)
        for (const frame of frames.feed(stream.subarray(at, at + step)))
          if (frame.t === 'message') found.push(Buffer.from(frame.bytes).toString('hex'))
      expect(found).toEqual(all.map((m) => Buffer.from(m).toString('hex')))
    }),
  )
})

test('any text whatever is a message or none, and every acknowledgement can be read', async () => {
  const ward = await registerOfMidori()
  const piece = fc.oneof(
    fc.constantFrom(
      'MSH|^~\\&|',
      'PID|',
      'PV1|',
      'EVN|A04|',
      '|',
      '^',
      '~',
      '\\',
      '\\F\\',
      '\r',
      'ADT^A04',
      'ZNT|1',
    ),
    fc.string({ maxLength: 10 }),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 20 }),
      fc.uint8Array({ maxLength: 30 }),
      async (parts, junk) => {
        const text = parts.join('')
        readMessage(text)
        const ack = Buffer.from(acknowledge(text, 'AE', 'X', { stamp: '20261125', id: '1' }))
        expect(readMessage(ack.subarray(1, -2).toString())).not.toBeNull()
        const bytes = Buffer.concat([Buffer.from(text), junk])
        const report = await importAdt(ward, { bytes, mapping, by: 's', dryRun: true })
        const { messages, refused, other, recorded, known, cancelled } = report
        expect(refused.length + other + recorded + known + cancelled).toBe(messages)
      },
    ),
    { numRuns: 300 },
  )
})
