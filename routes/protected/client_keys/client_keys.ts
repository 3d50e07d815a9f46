import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import { changeKey, changeSchema, revokeKey, revokeSchema } from './changes.ts'
import { inspectSchema, inspectToken } from './inspection.ts'
import { revokeOwner, revokeOwnerSchema, showOwnerUsage, ownerUsageSchema } from './owners.ts'
import { issueKey, issueSchema, rotateKey, rotateSchema } from './issuing.ts'
import { listKeys, listSchema, showKey, showOwnKey, showOwnSchema, showSchema } from './queries.ts'
import { ownUsageSchema, showOwnUsage, showUsage, usageSchema } from './usage.ts'

const own = { scope: null, users: 'none' } as const
const reading = { scope: 'client_keys:read', users: 'admin' } as const
const writing = { scope: 'client_keys:write', users: 'admin' } as const
const writingWithoutBody = { ...writing, optionalBody: true } as const

const routes: RoutesPlugin = async fastify => {
  fastify.patch('/:id', { config: writing, schema: changeSchema }, changeKey)
  fastify.post('', { config: writing, schema: issueSchema }, issueKey)
  fastify.get('', { config: reading, schema: listSchema }, listKeys)
  fastify.get('/me', { config: own, schema: showOwnSchema }, showOwnKey)
  fastify.post('/inspect', { config: reading, schema: inspectSchema }, inspectToken)
  fastify.post('/:id/revoke', { config: writingWithoutBody, schema: revokeSchema }, revokeKey)
  fastify.post('/revoke', { config: writing, schema: revokeOwnerSchema }, revokeOwner)
  fastify.post('/:id/rotate', { config: writingWithoutBody, schema: rotateSchema }, rotateKey)
  fastify.get('/:id', { config: reading, schema: showSchema }, showKey)
  fastify.get('/me/usage', { config: own, schema: ownUsageSchema }, showOwnUsage)
  fastify.get('/usage', { config: reading, schema: ownerUsageSchema }, showOwnerUsage)
  fastify.get('/:id/usage', { config: reading, schema: usageSchema }, showUsage)
}

export default routes
