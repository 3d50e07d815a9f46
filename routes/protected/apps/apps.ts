import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import { auditsSchema, listAudits, listTrail, trailSchema } from './audits.ts'
import { copyApp, copySchema, createApp, createSchema, suggestAppName, suggestSchema } from './creation.ts'
import { listApps, listSchema, showApp, showSchema } from './queries.ts'
import {
  allPermitsSchema,
  changeAllPermits,
  changePermit,
  listPermissions,
  permissionsSchema,
  permitSchema
} from './permissions.ts'
import { removeApp, removeSchema, transferApp, transferSchema, updateApp, updateSchema } from './changes.ts'
import { addTag, addTagSchema, removeTag, removeTagSchema } from './tags.ts'

const reading = { scope: 'apps:read', users: 'any' } as const
const writing = { scope: 'apps:write', users: 'any' } as const
const auditing = { scope: 'audits:read', users: 'any' } as const

const routes: RoutesPlugin = async fastify => {
  // The handler reports validation issues along with issues about the owner, which depend on the requester.
  fastify.post('', { attachValidation: true, config: writing, schema: createSchema }, createApp)
  fastify.get('/name_suggestion', { config: reading, schema: suggestSchema }, suggestAppName)
  fastify.get('/:name', { config: reading, schema: showSchema }, showApp)
  fastify.put('/:name', { config: writing, schema: updateSchema('PUT') }, updateApp)
  fastify.patch('/:name', { config: writing, schema: updateSchema('PATCH') }, updateApp)
  fastify.delete('/:name', { config: writing, schema: removeSchema }, removeApp)
  fastify.post('/:name/copy', { config: writing, schema: copySchema }, copyApp)
  fastify.get('', { config: reading, schema: listSchema }, listApps)

  fastify.get('/:id/permissions', { config: reading, schema: permissionsSchema }, listPermissions)
  for (const [method, verb] of [
    ['POST', 'grant'],
    ['DELETE', 'revoke']
  ] as const) {
    fastify.route({
      method,
      url: '/:id/permission/:permit/users/:user_id',
      config: writing,
      schema: permitSchema(verb),
      handler: changePermit(verb)
    })
    fastify.route({
      method,
      url: '/:id/permissions/users/:user_id',
      config: writing,
      schema: allPermitsSchema(verb),
      handler: changeAllPermits(verb)
    })
  }
  fastify.put('/:id/transfer/:owner_type/:owner_id', { config: writing, schema: transferSchema }, transferApp)
  fastify.get('/:id/audits', { config: auditing, schema: auditsSchema }, listAudits)
  fastify.get('/:id/trail', { config: auditing, schema: trailSchema }, listTrail)

  fastify.post('/:name/tags', { config: writing, schema: addTagSchema }, addTag)
  fastify.delete('/:name/tags', { config: writing, schema: removeTagSchema }, removeTag)
}

export default routes
