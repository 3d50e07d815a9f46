import { contextOf } from '../../../domain/access/principal.ts'
import { AppNotFound, Forbidden } from '../../../domain/errors.ts'
import { noContent, problemReplies } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { NameParams } from './fields.ts'

export const removeSchema = {
  operationId: 'deleteApp',
  summary: 'Delete an app',
  description:
    'The app leaves every list but those with `include_deleted=true`, and its descriptive name is free again.',
  tags: ['Apps'],
  params: NameParams,
  response: { 204: noContent('The app is deleted.'), ...problemReplies(AppNotFound, Forbidden) }
}

export const removeApp: Handler<typeof removeSchema> = async (request, response) => {
  await request.server.apps.discard(request.params.name, contextOf(request))
  return await response.code(204).send(null)
}
