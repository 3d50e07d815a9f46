import { contextOf } from '../../../domain/access/principal.ts'
import { AppNotFound, Forbidden, InvalidFields, TagNotFound, TooManyTags } from '../../../domain/errors.ts'
import { noContent, problemReplies, reply } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { NameParams, TagBody, toAppKey, toTag } from './fields.ts'

export const addTagSchema = {
  operationId: 'addTag',
  summary: 'Add a tag to an app',
  description: 'Adds a tag. If the app already has the tag, nothing changes, and the reply has status 200.',
  tags: ['Tags'],
  params: NameParams,
  body: TagBody,
  response: {
    200: reply('The app already had the tag.', 'Tag'),
    201: reply('The tag was added.', 'Tag'),
    ...problemReplies(AppNotFound, Forbidden, TooManyTags, InvalidFields)
  }
}

export const addTag: Handler<typeof addTagSchema> = async (request, response) => {
  const { server, params, body } = request
  const { tag, added } = await server.apps.addTag(toAppKey(params.name), toTag(body), contextOf(request))
  return await response.code(added ? 201 : 200).send(tag)
}

export const removeTagSchema = {
  operationId: 'removeTag',
  summary: 'Remove a tag from an app',
  description: 'Removes the tag with the context and name in the body.',
  tags: ['Tags'],
  params: NameParams,
  body: TagBody,
  response: { 204: noContent('The tag was removed.'), ...problemReplies(TagNotFound, Forbidden, InvalidFields) }
}

export const removeTag: Handler<typeof removeTagSchema> = async (request, response) => {
  const { server, params, body } = request
  const { context, name } = body
  await server.apps.removeTag(toAppKey(params.name), { context, name }, contextOf(request))
  return await response.code(204).send(null)
}
