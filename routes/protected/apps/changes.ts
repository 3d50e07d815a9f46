import { contextOf } from '../../../domain/access/principal.ts'
import { AppNotFound, DescriptiveNameTaken, Forbidden, InvalidFields, OwnerNotFound } from '../../../domain/errors.ts'
import { noContent, problemReplies, reply } from '../../../http/replies.ts'
import { id } from '../../../http/validation.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { AppParams, fields, NameParams, sendApp, toAppKey, toChange } from './fields.ts'

const ChangeBody = { type: 'object', properties: fields } as const

export const updateSchema = (method: 'PUT' | 'PATCH') => ({
  operationId: method === 'PUT' ? 'updateApp' : 'patchApp',
  summary: method === 'PUT' ? 'Update an app' : 'Update an app (PATCH)',
  description: 'Changes the fields that are sent, and leaves the others unchanged. PUT and PATCH are equivalent.',
  tags: ['Apps'],
  params: NameParams,
  body: ChangeBody,
  response: {
    200: reply('The updated app.', 'App'),
    ...problemReplies(AppNotFound, Forbidden, DescriptiveNameTaken, InvalidFields)
  }
})

export const updateApp: Handler<ReturnType<typeof updateSchema>> = async (request, response) => {
  const { server, params, body } = request
  return sendApp(response, await server.apps.update(toAppKey(params.name), toChange(body), contextOf(request)))
}

export const removeSchema = {
  operationId: 'deleteApp',
  summary: 'Delete an app',
  description:
    'Deletes an app. The app is then listed only with `include_deleted=true`, and its descriptive name can be used ' +
    'again.',
  tags: ['Apps'],
  params: NameParams,
  response: { 204: noContent('The app was deleted.'), ...problemReplies(AppNotFound, Forbidden) }
}

export const removeApp: Handler<typeof removeSchema> = async (request, response) => {
  await request.server.apps.discard(toAppKey(request.params.name), contextOf(request))
  return await response.code(204).send(null)
}

/** The owner types, by their names in paths. */
const OWNER_TYPES = { users: 'User', organizations: 'Organization' } as const

const OwnerParams = {
  type: 'object',
  required: ['id', 'owner_type', 'owner_id'],
  properties: {
    ...AppParams.properties,
    owner_type: {
      type: 'string',
      enum: ['users', 'organizations'],
      description: 'The type of the new owner.',
      examples: ['organizations']
    },
    owner_id: { ...id, description: 'The id of the new owner.', examples: [1] }
  }
} as const

export const transferSchema = {
  operationId: 'transferApp',
  summary: 'Transfer an app to another owner',
  description:
    'Users can transfer the app to themselves, or to an organization of which they are an admin or a member. ' +
    'Client keys can transfer it to any owner.',
  tags: ['Permissions'],
  params: OwnerParams,
  response: {
    200: reply('The app was transferred.', 'Message'),
    ...problemReplies(AppNotFound, Forbidden, DescriptiveNameTaken, OwnerNotFound, InvalidFields)
  }
}

export const transferApp: Handler<typeof transferSchema> = async request => {
  const { id, owner_type: ownerType, owner_id: ownerId } = request.params
  const owner = { type: OWNER_TYPES[ownerType], id: ownerId }
  await request.server.apps.transfer(toAppKey(id), owner, contextOf(request))
  return { message: 'Transfer Ownership OK' }
}
