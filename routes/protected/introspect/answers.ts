import type { FastifyInstance } from 'fastify'
import type { Introspected, Question } from '../../../domain/introspection/introspection.ts'
import { viewOf } from '../../../domain/introspection/view.ts'
import { keyPrincipalOf } from '../../../domain/access/principal.ts'
import type { Principal } from '../../../domain/access/principal.ts'
import { LimitUndecided } from '../../../http/errors.ts'
import { toIntrospectionJson } from '../../../http/representations/introspection.ts'
import type { RequestedMembers } from '../../../http/representations/introspection.ts'

interface AskedRequest {
  readonly server: Pick<FastifyInstance, 'introspect' | 'config'>
  readonly log: FastifyInstance['log']
  readonly principal: Principal | null
}

/** A question as it is sent. `scope` contains scopes separated by spaces. */
interface SentQuestion extends RequestedMembers {
  readonly token: string
  readonly scope?: string | undefined
  readonly ip?: string | undefined
}

const toQuestion = ({ token, scope = '', ip }: SentQuestion): Question => ({
  token,
  scopes: scope.split(' ').filter(Boolean),
  address: ip
})

/** Answers the questions of a request. Logs why tokens are inactive. Throws LimitUndecided if it can't answer all. */
export const answersTo = async (
  request: AskedRequest,
  sent: readonly SentQuestion[]
): Promise<ReturnType<typeof toIntrospectionJson>[]> => {
  const { introspect, config } = request.server
  const { key } = keyPrincipalOf(request)
  const answers = await introspect(viewOf(key.scopes), sent.map(toQuestion))
  const inactive = answers.flatMap(inactiveEntry)
  if (inactive.length > 0) request.log.info({ requester: key.id, inactive }, 'tokens introspected as inactive')
  for (const answer of answers) refuseUndecided(answer)
  return answers.map((answer, index) => toIntrospectionJson(answer, config.PUBLIC_URL, sent[index]))
}

const inactiveEntry = (answer: Introspected, entry: number): object[] =>
  answer.isActive ? [] : [{ entry, reason: answer.reason, key: answer.token?.key.id }]

const refuseUndecided = (answer: Introspected): void => {
  if (!answer.isActive && answer.reason === 'limit_undecided') throw new LimitUndecided({ cause: answer.cause })
}
