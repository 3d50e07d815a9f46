import { contextOf } from '../../../domain/access/principal.ts'
import { NotSignedIn } from '../../../http/errors.ts'
import { noContent } from '../../../http/replies.ts'
import type { Handler, RoutesPlugin } from '../../../plugins/app/validation.ts'

const signOutSchema = {
  operationId: 'signOut',
  summary: 'Sign out',
  description: 'Ends the session with which the request is sent. Without a session, replies with 404, as Trivial does.',
  tags: ['Signing in'],
  response: { 204: noContent('The session has ended.') }
}

const config = { scope: 'none', users: 'any', unauthenticated: NotSignedIn } as const

const routes: RoutesPlugin = async fastify => {
  fastify.delete('/sign_out', { config, schema: signOutSchema }, signOut)
}

export default routes

const signOut: Handler<typeof signOutSchema> = async (request, response) => {
  await request.server.users.signOut(contextOf(request))
  return await response.code(204).send(null)
}
