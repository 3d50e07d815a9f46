import { ROLES } from '../../domain/access/rules.ts'
import { userFields } from './users.ts'
import type { Member, Organization } from '../../domain/organizations/organization.ts'
import { PRINTABLE } from '../../domain/json/printable.ts'

export const organizationFields = {
  name: {
    type: 'string',
    pattern: PRINTABLE,
    minLength: 1,
    maxLength: 100,
    description: 'The name of the organization.',
    examples: ['Northwind Accounting']
  },
  billing_email: {
    ...userFields.email,
    description: 'The e-mail address to which bills are sent.',
    examples: ['billing@northwind.example.com']
  }
} as const

export const roleField = {
  type: 'string',
  enum: ROLES,
  description:
    "The user's role in the organization. An admin may do everything. A member may read the apps of the " +
    'organization. A guest has no access to them.',
  examples: ['member']
} as const

const properties = { id: { type: 'integer', examples: [1] }, ...organizationFields } as const

export const OrganizationJson = {
  $id: 'Organization',
  type: 'object',
  required: ['id', 'name', 'billing_email'],
  properties
} as const

export const MemberJson = {
  $id: 'Member',
  type: 'object',
  required: ['id', 'name', 'email', 'role'],
  properties: {
    id: { type: 'integer', description: 'The id of the user.', examples: [1] },
    name: userFields.name,
    email: userFields.email,
    role: roleField
  }
} as const

export const OrganizationWithUsersJson = {
  $id: 'OrganizationWithUsers',
  type: 'object',
  required: ['id', 'name', 'billing_email', 'users'],
  properties: {
    ...properties,
    users: { type: 'array', items: { $ref: 'Member#' }, description: 'The users who belong to the organization.' }
  }
} as const

export const toOrganizationJson = ({ id, name, billingEmail }: Organization) => ({
  id,
  name,
  billing_email: billingEmail
})

export const toMemberJson = ({ id, name, email, role }: Member) => ({ id, name, email, role })
