import { keyPrincipalOf } from '../../../domain/access/principal.ts'
import { ClientKeyNotFound, InvalidFields } from '../../../domain/errors.ts'
import { issuesOf } from '../../../domain/field-issue.ts'
import { KEY_SCOPE, SCOPE_RULE, scopesCovering } from '../../../domain/keys/policy/scopes.ts'
import { isPossibleScope, MAX_SCOPE } from '../../../domain/services/checks.ts'
import { cancellationOf } from '../../../http/cancellation.ts'
import { timestamp, toTimestamp } from '../../../http/timestamps.ts'
import { linkHeader } from '../../../http/links.ts'
import { DEFAULT_LIMIT, linkNext, pageQuery } from '../../../http/pages.ts'
import { ownerText } from '../../../http/representations/key-fields.ts'
import { toKeyJson, toPolicyJson, toTokenJson } from '../../../http/representations/keys.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import { GENERATION, KEY_ID } from '../../../http/validation-issues.ts'
import type { Handler } from '../../../plugins/app/validation.ts'

export const IdParams = {
  type: 'object',
  required: ['id'],
  properties: {
    id: { type: 'string', description: 'The id of the client key.', examples: ['0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11'] }
  }
} as const

const Query = {
  type: 'object',
  additionalProperties: false,
  properties: {
    limit: pageQuery('keys').limit,
    after: { type: 'string', maxLength: 100, pattern: KEY_ID, description: pageQuery('keys').after.description },
    enabled: { type: 'boolean', description: 'Only keys that are enabled (`true`) or disabled (`false`).' },
    revoked: { type: 'boolean', description: 'Only keys that are revoked (`true`) or not revoked (`false`).' },
    expires_before: {
      ...timestamp,
      description: 'Only keys that expire before this time. `14d` means in 14 days.'
    },
    unused_since: {
      ...timestamp,
      description: 'Only keys that were issued before this time and have not been used since. `90d` means 90 days ago.'
    },
    name: { type: 'string', maxLength: 100, description: 'Only keys whose name begins with this text.' },
    owner: { ...ownerText, description: 'Only keys with this owner.' },
    scope: {
      type: 'string',
      maxLength: MAX_SCOPE,
      pattern: KEY_SCOPE,
      description:
        'Only keys that have this scope. Keys with the scope `*` have every scope of this API, and keys with ' +
        '`orders:*` have every scope of the service `orders`.'
    },
    generation: {
      type: 'string',
      pattern: GENERATION,
      description: 'Only managed keys with an active token that was sealed with the secret of this generation.'
    }
  }
} as const

export const listSchema = {
  operationId: 'listClientKeys',
  summary: 'List client keys',
  description:
    'Lists managed keys in the order in which they were issued, followed by environment keys. The `Link` header ' +
    'contains the URL of the next page.',
  tags: ['Client keys'],
  querystring: Query,
  response: {
    200: {
      description: 'A page of client keys.',
      headers: linkHeader('</client_keys?limit=100&after=0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11>; rel="next"'),
      content: { 'application/json': { schema: { type: 'array', items: { $ref: 'ClientKey#' } } } }
    },
    ...problemReplies(InvalidFields)
  }
}

export const listKeys: Handler<typeof listSchema> = async ({ server, query }, response) => {
  const filter = {
    enabled: query.enabled,
    revoked: query.revoked,
    expiresBefore: toTimestamp('expires_before', query.expires_before, 'ahead'),
    unusedSince: toTimestamp('unused_since', query.unused_since, 'ago'),
    namePrefix: query.name,
    owner: query.owner,
    anyOfScopes: scopesWith(query.scope),
    generation: query.generation
  }
  await server.keyUsage.settle()
  const page = { limit: query.limit ?? DEFAULT_LIMIT, after: query.after }
  const { keys, more } = await server.clientKeys.list(filter, page, { signal: cancellationOf(response) })
  if (more) linkNext(response, keys.at(-1)?.id)
  return keys.map(toKeyJson)
}

/** Returns the scopes that cover the given one. Throws InvalidFields if no key can have it. */
const scopesWith = (scope: string | undefined): string[] | undefined => {
  if (scope === undefined) return undefined
  if (!isPossibleScope(scope)) throw new InvalidFields({ issues: issuesOf('scope', [`scope ${SCOPE_RULE}`]) })
  return scopesCovering(scope)
}

export const showSchema = {
  operationId: 'showClientKey',
  summary: 'Show a client key',
  description:
    'Returns a key and its tokens. Each token is returned with the generation of the secret that sealed it, its ' +
    'expiry, and its usage.',
  tags: ['Client keys'],
  params: IdParams,
  response: { 200: reply('The key.', 'ClientKeyWithTokens'), ...problemReplies(ClientKeyNotFound) }
}

export const showKey: Handler<typeof showSchema> = async ({ server, params: { id } }) => {
  const { clientKeys, keyUsage } = server
  await keyUsage.settle()
  return { ...toKeyJson(await clientKeys.find(id)), tokens: (await clientKeys.tokens(id)).map(toTokenJson) }
}

export const showOwnSchema = {
  operationId: 'showOwnClientKey',
  summary: 'Show your client key',
  description:
    'Returns the identity and policy of the client key with which the request is sent. No scope is required.',
  tags: ['Client keys'],
  response: { 200: reply('The client key with which the request was sent.', 'ClientKeyPolicy') }
}

export const showOwnKey: Handler<typeof showOwnSchema> = async request => toPolicyJson(keyPrincipalOf(request).key)
