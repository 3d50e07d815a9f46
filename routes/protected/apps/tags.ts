import type { RoutesPlugin } from '../../../plugins/validation.ts'
import { problemReplies } from '../../../problems/replies.ts'
import { AppNotFound, InvalidFields, TagNotFound } from '../../../problems/table.ts'
import { NameParams, noContent, reply, TagBody } from './fields.ts'

const routes: RoutesPlugin = async fastify => {
  const { apps } = fastify.stores

  fastify.post('/:name/tags', {
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
        ...problemReplies(AppNotFound, InvalidFields)
      }
    }
  }, async ({ params, body: { context, name } }, response) => {
    const result = await apps.addTag(params.name, { context, name })
    if (result === null) throw new AppNotFound()
    return await response.code(result.added ? 201 : 200).send(result.tag)
  })

  fastify.delete('/:name/tags', {
    schema: {
      operationId: 'removeTag',
      summary: 'Remove a tag from an app',
      description: 'The tag is named in the body, as it was when it was added.',
      tags: ['Tags'],
      params: NameParams,
      body: TagBody,
      response: { 204: noContent('The tag is removed.'), ...problemReplies(TagNotFound, InvalidFields) }
    }
  }, async ({ params, body }, response) => {
    if (!await apps.removeTag(params.name, body)) throw new TagNotFound()
    return await response.code(204).send(null)
  })
}

export default routes
