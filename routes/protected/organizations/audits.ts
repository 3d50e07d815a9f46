import { contextOf } from '../../../domain/access/principal.ts'
import { Forbidden, InvalidFields, OrganizationNotFound } from '../../../domain/errors.ts'
import { problemReplies } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { AuditQuery, auditReplies, sendAudits } from '../audits/listing.ts'
import { IdParams } from './queries.ts'

export const auditsSchema = {
  operationId: 'listOrganizationAudits',
  summary: 'List what was done to an organization',
  description: 'The newest first, by page. For its admins.',
  tags: ['Audits'],
  params: IdParams,
  querystring: AuditQuery,
  response: { ...auditReplies, ...problemReplies(OrganizationNotFound, Forbidden, InvalidFields) }
}

export const listAudits: Handler<typeof auditsSchema> = async (request, response) => {
  const { server, params, query } = request
  await server.organizations.requireAdministrator(params.id, contextOf(request))
  const filter = { subjectType: 'organization', subjectId: String(params.id) }
  return await sendAudits(server.audits, filter, query, response)
}
