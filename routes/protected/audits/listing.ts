import type { FastifyReply } from 'fastify'
import { cancellationOf } from '../../../http/cancellation.ts'
import { NDJSON, varyByAccept, wantsNdjson } from '../../../http/ndjson.ts'
import { linkHeader } from '../../../http/links.ts'
import { DEFAULT_LIMIT, linkNext, pageQuery } from '../../../http/pages.ts'
import { timestamp, toTimestamp } from '../../../http/timestamps.ts'
import { writeAudit } from '../../../http/representations/audits.ts'
import type { AuditFilter } from '../../../domain/audits/rows.ts'
import type { AuditService } from '../../../domain/audits/service.ts'

const { limit, after } = pageQuery('entries')

/** The query parameters for every list of audit entries. */
export const AuditQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    limit,
    after: { ...after, minimum: 1 },
    since: {
      ...timestamp,
      description: 'Only entries at or after this time. A duration such as `7d` counts back from now.'
    },
    until: { ...timestamp, description: 'Only entries before this time. A duration such as `1d` counts back from now.' }
  }
} as const

/** The responses for every list of audit entries. */
export const auditReplies = {
  200: {
    description: 'A page of audit entries.',
    headers: linkHeader('</audits?limit=100&after=42>; rel="next"'),
    // NDJSON isn't listed, because generated clients only treat the JSON as an array if it is the only media type.
    content: { 'application/json': { schema: { type: 'array', items: { $ref: 'Audit#' } } } }
  }
}

interface PageOptions {
  limit?: number
  after?: number
  since?: string
  until?: string
}

/** Sends a page of matching entries, as NDJSON if the client prefers it, or else as JSON. */
export const sendAudits = async (
  audits: Pick<AuditService, 'page'>,
  filter: AuditFilter,
  options: PageOptions,
  reply: FastifyReply
): Promise<FastifyReply> => {
  const { limit = DEFAULT_LIMIT, after, since, until } = options
  const page = await audits.page(
    {
      ...filter,
      since: toTimestamp('since', since, 'ago'),
      until: toTimestamp('until', until, 'ago')
    },
    { limit, before: after },
    { signal: cancellationOf(reply) }
  )
  if (page.more) linkNext(reply, page.audits.at(-1)?.sequence)
  const lines = page.audits.map(writeAudit)
  const isNdjson = wantsNdjson(reply.request)
  return await varyByAccept(reply)
    .type(`${isNdjson ? NDJSON : 'application/json'}; charset=utf-8`)
    .send(isNdjson ? lines.map(line => `${line}\n`).join('') : `[${lines.join(',')}]`)
}
