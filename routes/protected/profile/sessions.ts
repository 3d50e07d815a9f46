import { contextOf, userPrincipalOf } from '../../../domain/access/principal.ts'
import { SessionNotFound } from '../../../domain/errors.ts'
import { toSessionJson } from '../../../http/representations/users.ts'
import { noContent, problemReplies } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'

const SessionParams = {
  type: 'object',
  required: ['id'],
  properties: {
    id: { type: 'string', description: 'The id of the session.', examples: ['0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11'] }
  }
} as const

export const sessionsSchema = {
  operationId: 'listSessions',
  summary: 'List your sessions',
  description: 'Lists the sessions of the signed-in user, newest first.',
  tags: ['Signing in'],
  response: { 200: { description: 'The sessions.', type: 'array', items: { $ref: 'Session#' } } }
}

export const listSessions: Handler<typeof sessionsSchema> = async request => {
  const { session } = userPrincipalOf(request)
  return (await request.server.users.sessions(contextOf(request))).map(each => toSessionJson(each, session))
}

export const endSessionSchema = {
  operationId: 'endSession',
  summary: 'End one of your sessions',
  description: 'Ends a session of the signed-in user. Further requests with it are refused.',
  tags: ['Signing in'],
  params: SessionParams,
  response: { 204: noContent('The session has ended.'), ...problemReplies(SessionNotFound) }
}

export const endSession: Handler<typeof endSessionSchema> = async (request, response) => {
  await request.server.users.endSession(request.params.id, contextOf(request))
  return await response.code(204).send(null)
}
