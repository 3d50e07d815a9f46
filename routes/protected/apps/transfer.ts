import { contextOf } from '../../../domain/access/principal.ts'
import { AppNotFound, DescriptiveNameTaken, Forbidden, InvalidFields, OwnerNotFound } from '../../../domain/errors.ts'
import { id } from '../../../http/validation.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { AppParams, sendApp, toAppKey } from './fields.ts'

const OwnerParams = {
  type: 'object',
  required: ['id', 'owner_type', 'owner_id'],
  properties: {
    ...AppParams.properties,
    owner_type: {
      type: 'string',
      enum: ['User', 'Organization'],
      description: 'What the new owner is.',
      examples: ['Organization']
    },
    owner_id: { ...id, description: 'The id of the new owner.', examples: [1] }
  }
} as const

export const transferSchema = {
  operationId: 'transferApp',
  summary: 'Give an app to another owner',
  description:
    'A user may give it to themselves, or to an organization of which they are an admin or a member; a ' +
    'client key to anyone.',
  tags: ['Permissions'],
  params: OwnerParams,
  response: {
    200: reply('The app, with its new owner.', 'App'),
    ...problemReplies(AppNotFound, Forbidden, DescriptiveNameTaken, OwnerNotFound, InvalidFields)
  }
}

export const transferApp: Handler<typeof transferSchema> = async (request, response) => {
  const { id, owner_type: type, owner_id: ownerId } = request.params
  const owner = { type, id: ownerId }
  return sendApp(response, await request.server.apps.transfer(toAppKey(id), owner, contextOf(request)))
}
