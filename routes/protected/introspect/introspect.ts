import formbody from '@fastify/formbody'
import type { preValidationAsyncHookHandler } from 'fastify'
import { InvalidFields } from '../../../domain/errors.ts'
import { InvalidRequest } from '../../../http/errors.ts'
import { isAddress, toIntrospectionForm } from '../../../http/introspection-form.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler, RoutesPlugin } from '../../../plugins/app/validation.ts'
import { answersTo } from './answers.ts'

const MAX_ENTRIES = 100

const token = {
  type: 'string',
  description: 'The token that your service received.',
  examples: ['tck_<72 letters and digits>']
} as const

const optional = {
  scope: {
    type: 'string',
    description: 'The required scopes, separated by spaces. A token without all of them is inactive.',
    examples: ['orders:read']
  },
  ip: {
    type: 'string',
    description: 'The IP address that sent the token. Without it, keys with `allowed_ips` are inactive.',
    examples: ['192.0.2.7']
  }
} as const

const entry = {
  token,
  ...optional,
  scope_error: {
    type: 'boolean',
    description: 'Whether to return `error: insufficient_scope` for an active token that lacks a required scope.',
    examples: [true]
  },
  ref: {
    type: 'string',
    maxLength: 100,
    description: 'Text that is repeated in the result, to detect the reply to another request.',
    examples: ['b1946ac9']
  }
} as const

const schema = {
  operationId: 'introspectToken',
  summary: 'Introspect a token',
  description:
    'Returns whether a token that another service received is active, and what its key may do (RFC 7662). For ' +
    'every other token, the reply is `{"active":false}`; the log has the reason. With a credential for one service, ' +
    'the reply has only the scopes of that service, and tokens without any of them are inactive. The request counts ' +
    "as a use of the token's key. The credential can also be sent as `client_secret_basic`, with the id of the key " +
    'as the user name and its token as the password.',
  tags: ['Introspection'],
  consumes: ['application/x-www-form-urlencoded'],
  body: {
    type: 'object',
    required: ['token'],
    additionalProperties: true,
    properties: {
      token,
      token_type_hint: { type: 'string', description: 'Ignored, because there is only one type of token.' },
      ...optional
    },
    examples: [{ token: 'tck_<72 letters and digits>' }]
  },
  response: { 200: reply('Whether the token is active.', 'Introspection'), ...problemReplies(InvalidRequest) }
} as const

const batchSchema = {
  operationId: 'introspectTokens',
  summary: 'Introspect several tokens',
  description:
    `Introspects up to ${MAX_ENTRIES} tokens, and returns the results in the same order. Each entry counts as ` +
    'a use of its key. If one of them cannot be decided, the whole reply has the status 503, so that no program can ' +
    'mistake an undecided token for an inactive one.',
  tags: ['Introspection'],
  body: {
    type: 'array',
    minItems: 1,
    maxItems: MAX_ENTRIES,
    items: { type: 'object', required: ['token'], additionalProperties: false, properties: entry },
    examples: [[{ token: 'tck_<72 letters and digits>' }]]
  },
  response: {
    200: { description: 'The results.', type: 'array', items: { $ref: 'Introspection#' } },
    ...problemReplies(InvalidFields)
  }
} as const

const config = { scope: 'tokens:introspect', users: 'none', isIntrospection: true } as const

const readForm: preValidationAsyncHookHandler = async request => {
  request.body = toIntrospectionForm(request.headers, request.body)
}

const introspect: Handler<typeof schema> = async (request, response) => {
  const [answer] = await answersTo(request, [request.body])
  response.header('cache-control', 'no-store')
  return answer
}

const introspectAll: Handler<typeof batchSchema> = async (request, response) => {
  const issues = request.body.flatMap(({ ip }, index) => addressIssues(ip, index))
  if (issues.length > 0) throw new InvalidFields({ issues })
  response.header('cache-control', 'no-store')
  return await answersTo(request, request.body)
}

const addressIssues = (ip: string | undefined, index: number) =>
  ip === undefined || isAddress(ip)
    ? []
    : [{ path: [String(index), 'ip'], detail: `${index}.ip must be an IP address, such as 192.0.2.7` }]

const forms: RoutesPlugin = async fastify => {
  fastify.removeContentTypeParser('application/json')
  await fastify.register(formbody)
  fastify.post('', { config, schema, preValidation: readForm }, introspect)
}

const routes: RoutesPlugin = async fastify => {
  fastify.post('/batch', { config, schema: batchSchema }, introspectAll)
  await fastify.register(forms)
}

export default routes
