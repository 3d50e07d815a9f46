import { contextOf } from '../../../domain/access/principal.ts'
import { AppNotFound, Forbidden, InvalidFields } from '../../../domain/errors.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { AuditQuery, auditReplies, sendAudits } from '../audits/listing.ts'
import { AuditPageQuery, pageOfAudits } from '../audits/paging.ts'
import { AppParams, toAppKey } from './fields.ts'

const problems = problemReplies(AppNotFound, Forbidden, InvalidFields)
const readers =
  'Also works for deleted apps. Available to the owner, and to the admins of the organization that owns the app.'

export const auditsSchema = {
  operationId: 'listAppAudits',
  summary: 'List the audit entries of an app',
  description: `Lists changes in numbered pages, newest first, in the format that Trivial's clients expect. ${readers}`,
  tags: ['Audits'],
  params: AppParams,
  querystring: AuditPageQuery,
  response: { 200: reply('A page of audit entries.', 'AuditPage'), ...problems }
}

export const listAudits: Handler<typeof auditsSchema> = async (request, response) => {
  const { server, params, query } = request
  const name = await server.apps.nameFor(toAppKey(params.id), 'administer', contextOf(request))
  return await pageOfAudits({ type: 'app', name }, query, response)
}

export const trailSchema = {
  operationId: 'listAppTrail',
  summary: 'List the audit trail of an app',
  description: `Lists changes in pages, newest first, in the format of \`GET /audits\`. ${readers}`,
  tags: ['Audits'],
  params: AppParams,
  querystring: AuditQuery,
  response: { ...auditReplies, ...problems }
}

export const listTrail: Handler<typeof trailSchema> = async (request, response) => {
  const { server, params, query } = request
  const subjectId = await server.apps.nameFor(toAppKey(params.id), 'administer', contextOf(request))
  return await sendAudits(server.audits, { subjectType: 'app', subjectId }, query, response)
}
