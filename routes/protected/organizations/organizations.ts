import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import { auditsSchema, listAudits, listTrail, trailSchema } from './audits.ts'
import {
  createOrganization,
  createSchema,
  removeOrganization,
  removeSchema,
  updateOrganization,
  updateSchema
} from './changes.ts'
import { listOrganizations, listSchema, showOrganization, showSchema } from './queries.ts'
import { deleteRole, deleteRoleSchema, removeMember, removeMemberSchema, setRole, setRoleSchema } from './members.ts'

const reading = { scope: 'organizations:read', users: 'any' } as const
const auditing = { scope: 'audits:read', users: 'any' } as const
const writing = { scope: 'organizations:write', users: 'any' } as const

const routes: RoutesPlugin = async fastify => {
  fastify.get('', { config: reading, schema: listSchema }, listOrganizations)
  fastify.post('', { config: writing, schema: createSchema }, createOrganization)
  fastify.get('/:id', { config: reading, schema: showSchema }, showOrganization)
  fastify.put('/:id', { config: writing, schema: updateSchema('PUT') }, updateOrganization)
  fastify.patch('/:id', { config: writing, schema: updateSchema('PATCH') }, updateOrganization)
  fastify.delete('/:id', { config: writing, schema: removeSchema }, removeOrganization)
  fastify.put('/:id/users/:user_id', { config: writing, schema: setRoleSchema }, setRole)
  fastify.delete('/:id/users/:user_id', { config: writing, schema: removeMemberSchema }, removeMember)
  fastify.delete('/:id/delete_org_role', { config: writing, schema: deleteRoleSchema }, deleteRole)
  fastify.get('/:id/audits', { config: auditing, schema: auditsSchema }, listAudits)
  fastify.get('/:id/trail', { config: auditing, schema: trailSchema }, listTrail)
}

export default routes
