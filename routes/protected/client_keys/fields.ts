import type { FastifyRequest } from 'fastify'
import { principalOf } from '../../../domain/access/principal.ts'
import { canonicalJson } from '../../../domain/json/value.ts'
import type { RetryableRequest } from '../../../domain/keys/lifecycle/idempotency.ts'
import { InvalidFields } from '../../../domain/errors.ts'

export const IdParams = {
  type: 'object',
  required: ['id'],
  properties: {
    id: { type: 'string', description: 'The id of the client key.', examples: ['0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11'] }
  }
} as const

export const IdempotencyHeaders = {
  type: 'object',
  properties: {
    // No example: Swagger UI would send it with every request, and each would be taken for a retry of the first.
    'idempotency-key': {
      type: 'string',
      description:
        'A word of your own for this request. Where no reply came, send the request again with the same word ' +
        'within ten minutes: it is not done twice; the token of the lost reply is revoked, and a new one ' +
        'comes.'
    }
  }
} as const

/** Tells clients and proxies that a reply with secrets in it must not be stored. */
export const noStore = {
  'Cache-Control': { type: 'string', description: 'This reply must not be stored.', examples: ['no-store'] }
} as const

/** What tells a retry from a new request. Throws InvalidFields for an `Idempotency-Key` that is no word. */
export const retryableOf = (request: FastifyRequest): RetryableRequest | undefined => {
  const { 'idempotency-key': idempotencyKey } = request.headers
  if (idempotencyKey === undefined) return undefined
  if (typeof idempotencyKey !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(idempotencyKey)) {
    throw new InvalidFields({ errors: ['Idempotency-Key must be 1 to 255 visible ASCII characters'] })
  }
  const {
    method,
    routeOptions: { url },
    params,
    body
  } = request
  const principal = principalOf(request)
  const requester = principal.kind === 'client_key' ? principal.key.id : `user ${principal.user.id}`
  return { requester, idempotencyKey, request: canonicalJson([method, url, params, body]) }
}
