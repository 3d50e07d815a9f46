import { id } from '../../../http/validation.ts'

export const IdParams = {
  type: 'object',
  required: ['id'],
  properties: { id: { ...id, description: 'The id of the user.', examples: [1] } }
} as const
