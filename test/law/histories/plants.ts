import { decide } from '@kakehashi/protocol/rules/decide'
import type { GateState } from '@kakehashi/protocol/rules/state'
import type { Ask } from './compare.ts'
import type { Story } from './story.ts'

type Change = (state: GateState, story: Story) => { state?: GateState; rules?: Story['rules']; now?: number }

/** Gates with one mistake each, of the kinds that real ones made; the comparison must find every one. */
const CHANGES: Record<string, Change> = {
  'the wait is a day short': (state, { rules }) => ({
    state: { ...state, facility: { ...state.facility, waitDays: Math.max(0, state.facility.waitDays - 1) } },
    rules: { ...rules, waitDaysMin: rules.waitDaysMin - 1 },
  }),
  'days are counted in UTC': () => ({ now: -9 * 3_600_000 }),
  'the clock is believed when it goes back': (state) => ({ state: { ...state, latestSeen: 0 } }),
  'a withdrawn stop leaves no trace': (state) =>
    withPatient(state, {
      stops: state.patient.stops.filter((stop) => stop.standing !== 'withdrawn'),
    }),
  'a provisional stop is no stop': (state) =>
    withPatient(state, {
      stops: state.patient.stops.filter((stop) => stop.standing !== 'provisional'),
    }),
  'a returned letter still counts': (state) =>
    withPatient(state, {
      notices: state.patient.notices.map((n) =>
        n.standing === 'void' ? { ...n, standing: 'effective' } : n,
      ),
    }),
  'a backdated notice needs nobody': (state) =>
    withPatient(state, {
      notices: state.patient.notices.map((n) => ({ ...n, backdateApprovedBy: 's2' })),
    }),
  'a sheet in the bag is a notice': (state) =>
    withPatient(state, {
      notices: state.patient.notices.map((n) => ({ ...n, recipientState: 'able' })),
    }),
  'nobody turns 16': (_state, { rules }) => ({ rules: { ...rules, ownNoticeAge: 0 } }),
  'the guardian’s copy is enough': (_state, { rules }) => ({
    rules: { ...rules, guardianCopySufficesBelowAge: 16 },
  }),
  'holds are advice': (state) => withPatient(state, { holds: [] }),
  'changes of the notice bind nobody': (_state, { rules }) => ({
    rules: { ...rules, noticeBeforeChange: [] },
  }),
  'one operator is like another': (state) => ({
    state: {
      ...state,
      facility: {
        ...state.facility,
        templates: state.facility.templates.map((t) => ({ ...t, operators: [state.operator.operator] })),
      },
      patient: {
        ...state.patient,
        notices: state.patient.notices.map((n) => ({ ...n, operators: [state.operator.operator] })),
      },
    },
  }),
}

function withPatient(state: GateState, change: Partial<GateState['patient']>): { state: GateState } {
  return { state: { ...state, patient: { ...state.patient, ...change } } }
}

export const plants: Readonly<Record<string, Ask>> = Object.fromEntries(
  Object.entries(CHANGES).map(([name, change]): [string, Ask] => [
    name,
    (enacted, question, story) => {
      const state = enacted.stateAt(question)
      const { state: wrong = state, rules = story.rules, now = 0 } = change(state, story)
      const { track, item, at } = question
      return decide(wrong, { track, item }, rules, at + now)
    },
  ]),
)
