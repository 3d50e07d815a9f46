import { contextOf } from '../../../domain/access/principal.ts'
import { Forbidden, InvalidFields, OrganizationNotFound } from '../../../domain/errors.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { AuditQuery, auditReplies, sendAudits } from '../audits/listing.ts'
import { AuditPageQuery, pageOfAudits } from '../audits/paging.ts'
import { IdParams } from './queries.ts'

const problems = problemReplies(OrganizationNotFound, Forbidden, InvalidFields)

export const auditsSchema = {
  operationId: 'listOrganizationAudits',
  summary: 'List the audit entries of an organization and its apps',
  description:
    "Lists changes in numbered pages, newest first, in the format that Trivial's clients expect. Available to the " +
    'admins of the organization.',
  tags: ['Audits'],
  params: IdParams,
  querystring: AuditPageQuery,
  response: { 200: reply('A page of audit entries.', 'AuditPage'), ...problems }
}

export const listAudits: Handler<typeof auditsSchema> = async (request, response) => {
  const { server, params, query } = request
  await server.organizations.requireAdministrator(params.id, contextOf(request))
  return await pageOfAudits({ type: 'organization', id: params.id }, query, response)
}

export const trailSchema = {
  operationId: 'listOrganizationTrail',
  summary: 'List the audit trail of an organization',
  description:
    'Lists changes in pages, newest first, in the format of `GET /audits`. Available to the admins of the ' +
    'organization.',
  tags: ['Audits'],
  params: IdParams,
  querystring: AuditQuery,
  response: { ...auditReplies, ...problems }
}

export const listTrail: Handler<typeof trailSchema> = async (request, response) => {
  const { server, params, query } = request
  await server.organizations.requireAdministrator(params.id, contextOf(request))
  const filter = { subjectType: 'organization', subjectId: String(params.id) }
  return await sendAudits(server.audits, filter, query, response)
}
