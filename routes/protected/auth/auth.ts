import { originOf, userPrincipalOf } from '../../../domain/access/principal.ts'
import { noContent } from '../../../http/replies.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'

const routes: RoutesPlugin = async fastify => {
  fastify.delete(
    '/sign_out',
    {
      config: { scope: 'none', users: 'any' },
      schema: {
        operationId: 'signOut',
        summary: 'Sign out',
        description: 'Ends the session that is presented.',
        tags: ['Signing in'],
        response: { 204: noContent('The session is over.') }
      }
    },
    async (request, response) => {
      const { user, session } = userPrincipalOf(request)
      await fastify.stores.users.endSession(user.id, session.id, new Date(), originOf(request))
      return await response.code(204).send(null)
    }
  )
}

export default routes
