import { InvalidFields, UserNotFound } from '../../../domain/errors.ts'
import { toUserJson } from '../../../http/representations/users.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { IdParams } from './fields.ts'

export const showSchema = {
  operationId: 'showUser',
  summary: 'Show a user',
  description: 'The user of this id.',
  tags: ['Users'],
  params: IdParams,
  response: { 200: reply('The user.', 'User'), ...problemReplies(UserNotFound, InvalidFields) }
}

export const showUser: Handler<typeof showSchema> = async ({ server, params }) =>
  toUserJson(await server.users.find(params.id))
