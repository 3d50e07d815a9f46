import { InvalidFields } from '../../../domain/errors.ts'
import { KEY_SCOPE } from '../../../domain/keys/policy/scopes.ts'
import { MAX_SCOPE } from '../../../domain/services/checks.ts'
import { isAddress } from '../../../http/introspection-form.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import { toInspectionJson } from '../../../http/representations/inspection.ts'
import type { Handler } from '../../../plugins/app/validation.ts'

export const inspectSchema = {
  operationId: 'inspectToken',
  summary: 'Inspect a token',
  description:
    'Returns whether a token is accepted, and if not, why. With `scopes` and `ip`, it is checked as if it were ' +
    'used for a request that requires these scopes and comes from this address. The rate limit is not checked. ' +
    'Nothing is counted or recorded.',
  tags: ['Client keys'],
  body: {
    type: 'object',
    required: ['token'],
    additionalProperties: false,
    properties: {
      token: { type: 'string', description: 'The token to inspect.', examples: ['tck_<72 letters and digits>'] },
      scopes: {
        type: 'array',
        items: { type: 'string', maxLength: MAX_SCOPE, pattern: KEY_SCOPE },
        maxItems: 100,
        description: 'The scopes that the key must have.',
        examples: [['apps:read']]
      },
      ip: {
        type: 'string',
        description: 'The IP address of the request. Without it, the address is not checked.',
        examples: ['192.0.2.7']
      }
    },
    examples: [{ token: 'tck_<72 letters and digits>' }]
  },
  response: { 200: reply('The properties of the token.', 'Inspection'), ...problemReplies(InvalidFields) }
} as const

export const inspectToken: Handler<typeof inspectSchema> = async ({ server, body }, response) => {
  const { token, scopes, ip: address } = body
  if (address !== undefined && !isAddress(address)) {
    throw new InvalidFields({ issues: [{ path: ['ip'], detail: 'ip must be an IP address, such as 192.0.2.7' }] })
  }
  await server.keyUsage.settle()
  response.header('cache-control', 'no-store')
  return toInspectionJson(await server.clientKeys.inspect(token, { scopes, address }))
}
