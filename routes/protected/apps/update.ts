import { contextOf } from '../../../domain/access/principal.ts'
import { AppNotFound, DescriptiveNameTaken, Forbidden, InvalidFields } from '../../../domain/errors.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { fields, NameParams, sendApp, toChange } from './fields.ts'

const ChangeBody = { type: 'object', properties: fields } as const

export const updateSchema = (method: 'PUT' | 'PATCH') => ({
  operationId: method === 'PUT' ? 'updateApp' : 'patchApp',
  summary: method === 'PUT' ? 'Update an app' : 'Update an app (PATCH)',
  description: 'Changes the fields that are sent and leaves the others as they are; PUT and PATCH do the same.',
  tags: ['Apps'],
  params: NameParams,
  body: ChangeBody,
  response: {
    200: reply('The app as it is now.', 'App'),
    ...problemReplies(AppNotFound, Forbidden, DescriptiveNameTaken, InvalidFields)
  }
})

export const updateApp: Handler<ReturnType<typeof updateSchema>> = async (request, response) => {
  const { server, params, body } = request
  return sendApp(response, await server.apps.update(params.name, toChange(body), contextOf(request)))
}
