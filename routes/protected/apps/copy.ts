import { contextOf } from '../../../domain/access/principal.ts'
import { AppNotFound, DescriptiveNameTaken, Forbidden, InvalidFields, NoPortLeft } from '../../../domain/errors.ts'
import { problemReplies } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { fields, NameParams, newAppReply, sendNewApp, toName } from './fields.ts'

const CopyBody = {
  type: 'object',
  required: ['new_app_descriptive_name'],
  properties: { new_app_descriptive_name: fields.descriptive_name }
} as const

export const copySchema = {
  operationId: 'copyApp',
  summary: 'Copy an app',
  description: 'Makes a new app for the same owner, with the panels, the schedule and the tags of this one.',
  tags: ['Apps'],
  params: NameParams,
  body: CopyBody,
  response: {
    201: newAppReply,
    ...problemReplies(AppNotFound, Forbidden, DescriptiveNameTaken, NoPortLeft, InvalidFields)
  }
}

export const copyApp: Handler<typeof copySchema> = async (request, response) => {
  const { server, params, body } = request
  const copy = { descriptiveName: toName(body.new_app_descriptive_name) }
  return sendNewApp(response, await server.apps.copy(params.name, copy, contextOf(request)))
}
