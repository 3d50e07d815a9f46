import type { FastifyReply } from 'fastify'
import { NDJSON } from '../http/ndjson.ts'
import { DEFAULT_LIMIT, linkHeader, linkNext, pageQuery } from '../http/pages.ts'
import { instant, toInstant } from '../json/validation.ts'
import { writeAudit } from './representation.ts'
import type { AuditFilter, AuditStore } from './store.ts'

const { limit, after } = pageQuery('entries')

/** What every list of audit entries takes. */
export const AuditQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    limit,
    after: { ...after, minimum: 1 },
    since: { ...instant, description: 'Only from this instant on.' },
    until: { ...instant, description: 'Only before this instant.' }
  }
} as const

/** What every list of audit entries answers. */
export const auditReplies = {
  200: {
    description: 'The entries of a page.',
    headers: linkHeader('</audits?limit=100&after=42>; rel="next"'),
    content: {
      'application/json': { schema: { type: 'array', items: { $ref: 'Audit#' } } },
      [NDJSON]: { schema: { $ref: 'Audit#' } }
    }
  }
}

interface Asked { limit?: number, after?: number, since?: string, until?: string }

/** Answers a page of the entries that match, as JSON, or as NDJSON where that is asked for. */
export const sendAudits = async (audits: AuditStore, filter: AuditFilter, asked: Asked, reply: FastifyReply): Promise<FastifyReply> => {
  const { limit = DEFAULT_LIMIT, after, since, until } = asked
  const page = await audits.page({ ...filter, since: toInstant('since', since)?.toISOString(), until: toInstant('until', until)?.toISOString() }, limit, after)
  if (page.more) linkNext(reply, String(page.audits[page.audits.length - 1].sequence))
  const lines = page.audits.map(writeAudit)
  const isNdjson = reply.request.accepts().type(['json', NDJSON]) === NDJSON
  return await reply.type(`${isNdjson ? NDJSON : 'application/json'}; charset=utf-8`).header('vary', 'accept')
    .send(isNdjson ? lines.map(line => `${line}\n`).join('') : `[${lines.join(',')}]`)
}
