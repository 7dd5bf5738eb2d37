/** Every verb of the register: one transaction and one audit leaf each. */
export * from './charts.ts'
export * from './facility.ts'
export * from './notice.ts'
export { handSlip } from './slip.ts'
export * from './stop.ts'
