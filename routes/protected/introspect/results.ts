import type { FastifyInstance } from 'fastify'
import type { Introspected, Question } from '../../../domain/introspection/introspection.ts'
import { viewOf } from '../../../domain/introspection/view.ts'
import { keyPrincipalOf } from '../../../domain/access/principal.ts'
import type { Principal } from '../../../domain/access/principal.ts'
import { LimitUndecided } from '../../../http/errors.ts'

interface AskedRequest {
  readonly server: Pick<FastifyInstance, 'introspect' | 'toIntrospectionJson'>
  readonly log: FastifyInstance['log']
  readonly principal: Principal | null
}

/** A question as it is sent. `scope` contains scopes separated by spaces. */
interface SentQuestion {
  readonly token: string
  readonly scope?: string | undefined
  readonly ip?: string | undefined
}

const toQuestion = ({ token, scope = '', ip }: SentQuestion): Question => ({
  token,
  scopes: scope.split(' ').filter(Boolean),
  address: ip
})

/**
 * Returns the results for the questions of a request, as JSON texts. Logs why tokens are inactive. Throws
 * LimitUndecided if a rate limit can't be checked.
 */
export const resultsOf = async (request: AskedRequest, sent: readonly SentQuestion[]): Promise<string[]> => {
  const { introspect, toIntrospectionJson } = request.server
  const { key } = keyPrincipalOf(request)
  const results = await introspect(viewOf(key.scopes), sent.map(toQuestion))
  const inactive = results.flatMap(inactiveEntry)
  if (inactive.length > 0) request.log.info({ requester: key.id, inactive }, 'tokens introspected as inactive')
  for (const result of results) refuseUndecided(result)
  return results.map(toIntrospectionJson)
}

const inactiveEntry = (result: Introspected, entry: number): object[] =>
  result.isActive ? [] : [{ entry, reason: result.reason, key: result.token?.key.id }]

const refuseUndecided = (result: Introspected): void => {
  if (!result.isActive && result.reason === 'limit_undecided') throw new LimitUndecided({ cause: result.cause })
}
