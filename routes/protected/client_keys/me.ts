import { keyPrincipalOf } from '../../../domain/access/principal.ts'
import { reply } from '../../../http/replies.ts'
import { toPolicyJson } from '../../../http/representations/keys.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'

const routes: RoutesPlugin = async fastify => {
  fastify.get(
    '/me',
    {
      config: { scope: null, users: 'none' },
      schema: {
        operationId: 'showOwnClientKey',
        summary: 'Show the key that is presented',
        description: 'What the key of this request is and may do. Any key may ask.',
        tags: ['Client keys'],
        response: { 200: reply('The key that was presented.', 'ClientKeyPolicy') }
      }
    },
    async request => toPolicyJson(keyPrincipalOf(request).key)
  )
}

export default routes
