import accepts from '@fastify/accepts'
import { writeAudit } from '../../../audits/representation.ts'
import { NDJSON } from '../../../http/ndjson.ts'
import { linkHeader, linkNext } from '../../../http/pages.ts'
import { problemReplies } from '../../../http/replies.ts'
import { instant, toInstant } from '../../../json/validation.ts'
import type { RoutesPlugin } from '../../../plugins/validation.ts'
import { InvalidFields } from '../../../problems/table.ts'

const DEFAULT_LIMIT = 100

const word = { type: 'string', maxLength: 200 } as const

const Query = {
  type: 'object',
  additionalProperties: false,
  properties: {
    limit: { type: 'integer', minimum: 1, maximum: 1000, description: `How many entries a page has; ${DEFAULT_LIMIT} unless told.` },
    after: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Where the page starts: copy it from the `Link` header of the page before.' },
    subject_type: { ...word, description: 'Only what was done to things of this type: `app`, `client_key`.' },
    subject_id: { ...word, description: 'Only what was done to the thing of this id.' },
    actor_kind: { ...word, description: 'Only what actors of this kind did: `client_key`, `cli`.' },
    actor_id: { ...word, description: 'Only what the actor of this id did.' },
    action: { ...word, description: 'Only this action, such as `client_key.rotate`.' },
    since: { ...instant, description: 'Only from this instant on.' },
    until: { ...instant, description: 'Only before this instant.' }
  }
} as const

const routes: RoutesPlugin = async fastify => {
  const { audits } = fastify.stores
  await fastify.register(accepts)

  fastify.get('', {
    config: { scope: 'audits:read' },
    schema: {
      operationId: 'listAudits',
      summary: 'List the audit trail',
      description: `What was changed, by whom, when and from where; the newest first. The \`Link\` header leads to the next page. With \`Accept: ${NDJSON}\` each
entry is a line of its own.`,
      tags: ['Audits'],
      querystring: Query,
      response: {
        200: {
          description: 'The entries of a page.',
          headers: linkHeader('</audits?limit=100&after=42>; rel="next"'),
          content: {
            'application/json': { schema: { type: 'array', items: { $ref: 'Audit#' } } },
            [NDJSON]: { schema: { $ref: 'Audit#' } }
          }
        },
        ...problemReplies(InvalidFields)
      }
    }
  }, async (request, reply) => {
    const { limit = DEFAULT_LIMIT, after, since, until, ...filter } = request.query
    const page = await audits.page({
      subjectType: filter.subject_type,
      subjectId: filter.subject_id,
      actorKind: filter.actor_kind,
      actorId: filter.actor_id,
      action: filter.action,
      since: toInstant('since', since)?.toISOString(),
      until: toInstant('until', until)?.toISOString()
    }, limit, after)
    if (page.more) linkNext(reply, String(page.audits[page.audits.length - 1].sequence))
    const lines = page.audits.map(writeAudit)
    const isNdjson = request.accepts().type(['json', NDJSON]) === NDJSON
    return await reply.type(`${isNdjson ? NDJSON : 'application/json'}; charset=utf-8`).header('vary', 'accept')
      .send(isNdjson ? lines.map(line => `${line}\n`).join('') : `[${lines.join(',')}]`)
  })
}

export default routes
