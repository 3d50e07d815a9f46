import { PERMITS } from '../../domain/access/rules.ts'
import type { UserGrant } from '../../domain/users/rows.ts'

const permits = {
  type: 'array',
  items: { type: 'string', enum: Object.keys(PERMITS) },
  description: 'The permissions that the user has been granted.',
  examples: [['read', 'update']]
} as const

export const AppPermissionJson = {
  $id: 'AppPermission',
  type: 'object',
  required: ['user_id', 'permits'],
  properties: { user_id: { type: 'integer', description: 'The id of the user.', examples: [2] }, permits }
} as const

export const UserGrantJson = {
  $id: 'UserGrant',
  type: 'object',
  required: ['app_id', 'app_name', 'permits'],
  properties: {
    app_id: { type: 'integer', examples: [1] },
    app_name: { type: 'string', examples: ['ba6811fb3e073d'] },
    permits
  }
} as const

/** The permissions that Trivial's own clients use. */
const SETS = ['update', 'destroy', 'grant', 'transfer'] as const

const permittedSet = {
  type: 'object',
  required: ['app_names', 'credential_set_ids'],
  properties: {
    app_names: {
      type: 'array',
      items: { type: 'string' },
      description: 'The names of the apps on which the user has this permission.',
      examples: [['ba6811fb3e073d']]
    },
    credential_set_ids: { type: 'array', items: { type: 'integer' }, description: 'Always empty.', examples: [[]] }
  }
} as const

/** The format that Trivial's own clients expect. */
export const UserPermissionsJson = {
  $id: 'UserPermissions',
  type: 'object',
  required: SETS,
  properties: { update: permittedSet, destroy: permittedSet, grant: permittedSet, transfer: permittedSet }
} as const

export const toUserGrantJson = ({ appId, appName, permits }: UserGrant) => ({
  app_id: appId,
  app_name: appName,
  permits
})

export const toUserPermissionsJson = (permitted: readonly UserGrant[]) =>
  Object.fromEntries(
    SETS.map(permit => {
      const apps = permitted.filter(({ permits }) => permits.includes(permit))
      return [permit, { app_names: apps.map(({ appName }) => appName), credential_set_ids: [] }]
    })
  )
