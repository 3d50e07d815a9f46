import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import { createSchema, createUser, removeSchema, removeUser, updateSchema, updateUser } from './changes.ts'
import {
  grantsSchema,
  listGrants,
  listSchema,
  listUsers,
  permissionsSchema,
  showPermissions,
  showSchema,
  showUser
} from './queries.ts'

const reading = { scope: 'users:read', users: 'admin' } as const
const ofUser = { scope: 'users:read', users: 'any' } as const
const writing = { scope: 'users:write', users: 'admin' } as const

const routes: RoutesPlugin = async fastify => {
  fastify.get('', { config: reading, schema: listSchema }, listUsers)
  fastify.post('', { config: writing, schema: createSchema }, createUser)
  fastify.get('/:id', { config: reading, schema: showSchema }, showUser)
  fastify.put('/:id', { config: writing, schema: updateSchema('PUT') }, updateUser)
  fastify.patch('/:id', { config: writing, schema: updateSchema('PATCH') }, updateUser)
  fastify.delete('/:id', { config: writing, schema: removeSchema }, removeUser)
  fastify.get('/:id/permissions', { config: ofUser, schema: permissionsSchema }, showPermissions)
  fastify.get('/:id/grants', { config: ofUser, schema: grantsSchema }, listGrants)
}

export default routes
