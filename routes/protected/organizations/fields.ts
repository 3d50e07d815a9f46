import { id } from '../../../http/validation.ts'

export const IdParams = {
  type: 'object',
  required: ['id'],
  properties: { id: { ...id, description: 'The id of the organization.', examples: [1] } }
} as const

export const MemberParams = {
  type: 'object',
  required: ['id', 'user_id'],
  properties: { ...IdParams.properties, user_id: { ...id, description: 'The id of the user.', examples: [1] } }
} as const
