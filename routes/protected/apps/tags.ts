import { askerOf } from '../../../domain/access/principal.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import { noContent, problemReplies, reply } from '../../../http/replies.ts'
import { AppNotFound, Forbidden, InvalidFields, TagNotFound, TooManyTags } from '../../../domain/errors.ts'
import { NameParams, TagBody, toTag } from './fields.ts'

const routes: RoutesPlugin = async fastify => {
  const { apps } = fastify.stores

  fastify.post(
    '/:name/tags',
    {
      config: { scope: 'apps:write', users: 'any' },
      schema: {
        operationId: 'addTag',
        summary: 'Add a tag to an app',
        description: 'An app bears a tag once: adding it again changes nothing and answers 200.',
        tags: ['Tags'],
        params: NameParams,
        body: TagBody,
        response: {
          200: reply('The app bore the tag already.', 'Tag'),
          201: reply('The tag was added.', 'Tag'),
          ...problemReplies(AppNotFound, Forbidden, TooManyTags, InvalidFields)
        }
      }
    },
    async (request, response) => {
      const result = await apps.addTag(
        request.params.name,
        toTag(request.body),
        new Date().toISOString(),
        askerOf(request)
      )
      if (result === null) throw new AppNotFound()
      return await response.code(result.added ? 201 : 200).send(result.tag)
    }
  )

  fastify.delete(
    '/:name/tags',
    {
      config: { scope: 'apps:write', users: 'any' },
      schema: {
        operationId: 'removeTag',
        summary: 'Remove a tag from an app',
        description: 'The tag is named in the body, as it was when it was added.',
        tags: ['Tags'],
        params: NameParams,
        body: TagBody,
        response: { 204: noContent('The tag is removed.'), ...problemReplies(TagNotFound, Forbidden, InvalidFields) }
      }
    },
    async (request, response) => {
      const {
        params,
        body: { context, name }
      } = request
      if (!(await apps.removeTag(params.name, { context, name }, new Date().toISOString(), askerOf(request)))) {
        throw new TagNotFound()
      }
      return await response.code(204).send(null)
    }
  )
}

export default routes
