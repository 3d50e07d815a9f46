import { PERMITS } from '../../domain/access/rules.ts'

const permits = {
  type: 'array',
  items: { type: 'string', enum: Object.keys(PERMITS) },
  description: 'What was granted.',
  examples: [['read', 'update']]
} as const

export const AppPermissionJson = {
  $id: 'AppPermission',
  type: 'object',
  required: ['user_id', 'permits'],
  properties: { user_id: { type: 'integer', description: 'The id of the user.', examples: [2] }, permits }
} as const

export const UserPermissionJson = {
  $id: 'UserPermission',
  type: 'object',
  required: ['app_id', 'app_name', 'permits'],
  properties: {
    app_id: { type: 'integer', examples: [1] },
    app_name: { type: 'string', examples: ['ba6811fb3e073d'] },
    permits
  }
} as const
