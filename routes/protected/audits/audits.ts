import { AuditQuery, auditReplies, sendAudits } from './listing.ts'
import { NDJSON } from '../../../http/ndjson.ts'
import { problemReplies } from '../../../http/replies.ts'
import type { Handler, RoutesPlugin } from '../../../plugins/app/validation.ts'
import { InvalidFields } from '../../../domain/errors.ts'

const word = { type: 'string', maxLength: 200 } as const

const Query = {
  ...AuditQuery,
  properties: {
    ...AuditQuery.properties,
    subject_type: {
      ...word,
      description: 'Only what was done to things of this type: `app`, `client_key`, `organization`, `user`.'
    },
    subject_id: { ...word, description: 'Only what was done to the thing of this id.' },
    actor_kind: { ...word, description: 'Only what actors of this kind did: `client_key`, `user`, `cli`.' },
    actor_id: { ...word, description: 'Only what the actor of this id did.' },
    action: { ...word, description: 'Only this action, such as `client_key.rotate`.' }
  }
} as const

const listSchema = {
  operationId: 'listAudits',
  summary: 'List the audit trail',
  description: `What was changed, by whom, when and from where; the newest first. The \`Link\` header leads to
the next page. With \`Accept: ${NDJSON}\` each
entry is a line of its own.`,
  tags: ['Audits'],
  querystring: Query,
  response: { ...auditReplies, ...problemReplies(InvalidFields) }
}

const routes: RoutesPlugin = async fastify => {
  fastify.get('', { config: { scope: 'audits:read', users: 'none' }, schema: listSchema }, listAudits)
}

export default routes

const listAudits: Handler<typeof listSchema> = async ({ server, query }, response) => {
  const filter = {
    subjectType: query.subject_type,
    subjectId: query.subject_id,
    actorKind: query.actor_kind,
    actorId: query.actor_id,
    action: query.action
  }
  return await sendAudits(server.audits, filter, query, response)
}
