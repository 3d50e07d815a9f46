import { contextOf } from '../../../domain/access/principal.ts'
import { AppNotFound } from '../../../domain/errors.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { NameParams, sendApp } from './fields.ts'

export const showSchema = {
  operationId: 'showApp',
  summary: 'Show an app',
  description: 'The app of this name, whoever owns it.',
  tags: ['Apps'],
  params: NameParams,
  response: { 200: reply('The app.', 'App'), ...problemReplies(AppNotFound) }
}

export const showApp: Handler<typeof showSchema> = async (request, response) =>
  sendApp(response, await request.server.apps.find(request.params.name, contextOf(request)))
