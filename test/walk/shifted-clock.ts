/**
 * Preloaded (`node --import`) into the unchanged programs of a demonstration or a whole-system test: their clock runs
 * ahead of the machine's by `KAKEHASHI_SHIFT_MS`, and jumps when the parent process sends `{ shiftMs }`.
 */
const realNow = Date.now.bind(Date)
const RealDate = Date
let shiftMs = Number(process.env['KAKEHASHI_SHIFT_MS'] ?? 0)

function shiftedNow(): number {
  return realNow() + shiftMs
}

class ShiftedDate extends RealDate {
  constructor(...from: unknown[]) {
    if (from.length === 0) super(shiftedNow())
    else super(...(from as [number]))
  }
  static override now(): number {
    return shiftedNow()
  }
}

globalThis.Date = ShiftedDate as DateConstructor

if (process.channel) {
  process.on('message', (message: unknown) => {
    if (typeof message !== 'object' || message === null || !('shiftMs' in message)) return
    shiftMs = Number(message.shiftMs)
    process.send?.({ shiftedTo: shiftMs })
  })
  process.channel.unref()
}
