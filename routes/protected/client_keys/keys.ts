import { DEFAULT_LIMIT, linkHeader, linkNext, pageQuery } from '../../../http/pages.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import { instant, toInstant } from '../../../domain/json/instants.ts'
import { GENERATION } from '../../../domain/json/validation.ts'
import { ChangeKeyBody, NewKeyBody, toKeyChange } from '../../../domain/keys/fields.ts'
import { toKeyJson, toTokenJson } from '../../../domain/keys/representation.ts'
import { GRANTS } from '../../../domain/keys/scopes.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import {
  BeyondCeiling,
  ClientKeyNameTaken,
  ClientKeyNotFound,
  ClientKeyRevoked,
  EnvironmentKeyFixed,
  IdempotencyKeyReused,
  InvalidFields
} from '../../../domain/errors.ts'
import { authorOf, IdempotencyHeaders, IdParams, noStore, retryableOf } from './fields.ts'

const Query = {
  type: 'object',
  additionalProperties: false,
  properties: {
    limit: pageQuery('keys').limit,
    after: { type: 'string', maxLength: 100, description: pageQuery('keys').after.description },
    enabled: { type: 'boolean', description: 'Only keys that are enabled, or that are not.' },
    revoked: { type: 'boolean', description: 'Only keys that are revoked, or that are not.' },
    expires_before: { ...instant, description: 'Only keys that expire before this time; `14d` is in 14 days.' },
    unused_since: {
      ...instant,
      description: 'Only keys that were there before this time and were not used from it on; `90d` is 90 days ago.'
    },
    name: { type: 'string', maxLength: 100, description: 'Only keys whose name begins so.' },
    scope: {
      type: 'string',
      enum: GRANTS,
      description: 'Only keys that have this scope; unscoped keys have every one.'
    },
    generation: {
      type: 'string',
      pattern: GENERATION,
      description: 'Only managed keys with a token that is good and that the secret of this generation sealed.'
    }
  }
} as const

const routes: RoutesPlugin = async fastify => {
  const { clientKeys, keyEvidence } = fastify

  fastify.post(
    '',
    {
      config: { scope: 'client_keys:write', users: 'admin' },
      schema: {
        operationId: 'issueClientKey',
        summary: 'Issue a client key',
        description: `Makes a key that is good at once. Its \`key_id\` and \`key_access_token\` are in this reply and nowhere else: nobody can show them
again. A key can't give what it lacks: a scope, an address range, an expiry or a rate beyond the caller's own is refused.`,
        tags: ['Client keys'],
        headers: IdempotencyHeaders,
        body: NewKeyBody,
        response: {
          201: reply('The new key, with its secrets.', 'IssuedClientKey', {
            ...noStore,
            Location: {
              type: 'string',
              description: 'The path of the new key.',
              examples: ['/client_keys/0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11']
            }
          }),
          ...problemReplies(BeyondCeiling, ClientKeyNameTaken, ClientKeyRevoked, InvalidFields, IdempotencyKeyReused)
        }
      }
    },
    async (request, response) => {
      const wanted = { ...toKeyChange(request.body), name: request.body.name }
      const { key, keyId, keyAccessToken } = await clientKeys.issue(wanted, authorOf(request), retryableOf(request))
      return await response
        .code(201)
        .header('cache-control', 'no-store')
        .header('location', `/client_keys/${key.id}`)
        .send({ ...toKeyJson(key), key_id: keyId, key_access_token: keyAccessToken })
    }
  )

  fastify.get(
    '',
    {
      config: { scope: 'client_keys:read', users: 'admin' },
      schema: {
        operationId: 'listClientKeys',
        summary: 'List client keys',
        description:
          'Managed keys in the order in which they were made, then those of the environment. The `Link` header leads to the next page.',
        tags: ['Client keys'],
        querystring: Query,
        response: {
          200: {
            description: 'The keys of a page.',
            headers: linkHeader('</client_keys?limit=100&after=0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11>; rel="next"'),
            content: { 'application/json': { schema: { type: 'array', items: { $ref: 'ClientKey#' } } } }
          },
          ...problemReplies(InvalidFields)
        }
      }
    },
    async ({ query }, response) => {
      const filter = {
        enabled: query.enabled,
        revoked: query.revoked,
        expiresBefore: toInstant('expires_before', query.expires_before, 'ahead'),
        unusedSince: toInstant('unused_since', query.unused_since, 'ago'),
        namePrefix: query.name,
        scope: query.scope,
        generation: query.generation
      }
      await keyEvidence.settle()
      const { keys, more } = await clientKeys.list(filter, query.limit ?? DEFAULT_LIMIT, query.after)
      if (more) linkNext(response, keys.at(-1)?.id)
      return keys.map(toKeyJson)
    }
  )

  fastify.get(
    '/:id',
    {
      config: { scope: 'client_keys:read', users: 'admin' },
      schema: {
        operationId: 'showClientKey',
        summary: 'Show a client key',
        description: 'A key with its tokens: which secret sealed each, until when it is good, and how it was used.',
        tags: ['Client keys'],
        params: IdParams,
        response: { 200: reply('The key.', 'ClientKeyWithTokens'), ...problemReplies(ClientKeyNotFound) }
      }
    },
    async ({ params: { id } }) => {
      await keyEvidence.settle()
      return { ...toKeyJson(await clientKeys.find(id)), tokens: (await clientKeys.tokens(id)).map(toTokenJson) }
    }
  )

  fastify.patch(
    '/:id',
    {
      config: { scope: 'client_keys:write', users: 'admin' },
      schema: {
        operationId: 'changeClientKey',
        summary: 'Change a client key',
        description: `Changes the fields that are sent, from the next request on. \`{"enabled":false}\` stops a key until it is enabled again. Neither the key
as it is nor as it would be may go beyond the caller's own.`,
        tags: ['Client keys'],
        params: IdParams,
        body: ChangeKeyBody,
        response: {
          200: reply('The key as it is now.', 'ClientKey'),
          ...problemReplies(
            BeyondCeiling,
            ClientKeyNotFound,
            ClientKeyNameTaken,
            ClientKeyRevoked,
            EnvironmentKeyFixed,
            InvalidFields
          )
        }
      }
    },
    async request => toKeyJson(await clientKeys.change(request.params.id, toKeyChange(request.body), authorOf(request)))
  )
}

export default routes
