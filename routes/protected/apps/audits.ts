import { contextOf } from '../../../domain/access/principal.ts'
import { AppNotFound, Forbidden, InvalidFields } from '../../../domain/errors.ts'
import { problemReplies } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { AuditQuery, auditReplies, sendAudits } from '../audits/listing.ts'
import { AppParams, toAppKey } from './fields.ts'

export const auditsSchema = {
  operationId: 'listAppAudits',
  summary: 'List what was done to an app',
  description:
    'The newest first, by page; also of an app that was deleted. For its owner, and the admins of the ' +
    'organization that owns it.',
  tags: ['Audits'],
  params: AppParams,
  querystring: AuditQuery,
  response: { ...auditReplies, ...problemReplies(AppNotFound, Forbidden, InvalidFields) }
}

export const listAudits: Handler<typeof auditsSchema> = async (request, response) => {
  const { server, params, query } = request
  const subjectId = await server.apps.nameFor(toAppKey(params.id), 'administer', contextOf(request))
  return await sendAudits(server.audits, { subjectType: 'app', subjectId }, query, response)
}
