import type { OrganizationRole } from '../access/rules.ts'

export interface Organization {
  readonly id: number
  readonly name: string
  readonly billingEmail: string
}

export interface Member {
  readonly id: number
  readonly name: string
  readonly email: string
  readonly role: OrganizationRole
}
