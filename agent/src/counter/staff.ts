export { hashSecret as hashPin } from '@kakehashi/protocol/secret-hash'

export interface StaffMember {
  id: string
  name: string
  /** As `hashPin` wrote it. */
  pin: string
}
