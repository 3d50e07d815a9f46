import { AuditQuery, auditReplies, sendAudits } from './listing.ts'
import { NDJSON } from '../../../http/ndjson.ts'
import { problemReplies } from '../../../http/replies.ts'
import type { Handler, RoutesPlugin } from '../../../plugins/app/validation.ts'
import { ACTOR_KINDS, SUBJECT_TYPES } from '../../../domain/audits/audit.ts'
import { InvalidFields } from '../../../domain/errors.ts'
import { MAX_OWNER } from '../../../domain/keys/policy/checks.ts'

const word = { type: 'string', maxLength: 200 } as const

const Query = {
  ...AuditQuery,
  properties: {
    ...AuditQuery.properties,
    subject_type: { type: 'string', enum: SUBJECT_TYPES, description: 'Only changes to resources of this type.' },
    subject_id: {
      type: 'string',
      maxLength: MAX_OWNER,
      description: 'Only changes to the resource with this id. The id of a `client_key_owner` is the owner itself.'
    },
    actor_kind: { type: 'string', enum: ACTOR_KINDS, description: 'Only changes by actors of this kind.' },
    actor_id: { ...word, description: 'Only changes by the actor with this id.' },
    action: { ...word, description: 'Only changes with this action, such as `client_key.rotate`.' }
  }
} as const

const listSchema = {
  operationId: 'listAudits',
  summary: 'List the audit trail',
  description:
    'Lists what was changed, by whom, when, and from where, newest first. The `Link` header contains the URL of the ' +
    `next page. With \`Accept: ${NDJSON}\`, each entry is on a separate line.`,
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
