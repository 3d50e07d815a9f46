import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import { createSchema, createUser, removeSchema, removeUser, updateSchema, updateUser } from './changes.ts'
import { listPermissions, listSchema, listUsers, permissionsSchema, showSchema, showUser } from './queries.ts'

const reading = { scope: 'users:read', users: 'admin' } as const
const writing = { scope: 'users:write', users: 'admin' } as const

const routes: RoutesPlugin = async fastify => {
  fastify.get('', { config: reading, schema: listSchema }, listUsers)
  fastify.post('', { config: writing, schema: createSchema }, createUser)
  fastify.get('/:id', { config: reading, schema: showSchema }, showUser)
  fastify.put('/:id', { config: writing, schema: updateSchema('PUT') }, updateUser)
  fastify.patch('/:id', { config: writing, schema: updateSchema('PATCH') }, updateUser)
  fastify.delete('/:id', { config: writing, schema: removeSchema }, removeUser)
  fastify.get(
    '/:id/permissions',
    { config: { scope: 'users:read', users: 'any' }, schema: permissionsSchema },
    listPermissions
  )
}

export default routes
