import type { FastifyReply } from 'fastify'
import type { AuditScope } from '../../../domain/audits/scope.ts'
import { readSearch } from '../../../http/audit-search.ts'
import { cancellationOf } from '../../../http/cancellation.ts'
import { toAuditPageJson } from '../../../http/representations/audit-pages.ts'

const MAX_PER_PAGE = 100

/** The query parameters for a page of audit entries, in the format that Trivial's own clients use. */
export const AuditPageQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    per_page: {
      type: 'integer',
      minimum: 1,
      maximum: MAX_PER_PAGE,
      description: `The maximum number of entries on a page. The default is ${MAX_PER_PAGE}.`,
      examples: [20]
    },
    page: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000,
      description: 'The number of the page. The default is 1.',
      examples: [1]
    },
    search: {
      type: 'string',
      maxLength: 4000,
      description:
        'Only entries that meet all of these conditions. Must be a JSON array of objects `{c, o, p}`, each with a ' +
        'column (`id`, `user_id` or `created_at`), an operator (`=`, `!=`, `<>`, `<`, `<=`, `>`, `>=` or `IN`) and ' +
        'a value.',
      examples: ['[{"c":"created_at","o":">=","p":"2026-01-05T00:00:00Z"}]']
    }
  }
} as const

interface PageOptions {
  per_page?: number
  page?: number
  search?: string
}

/** Returns the requested page of the audit entries in a scope. */
export const pageOfAudits = async (scope: AuditScope, options: PageOptions, reply: FastifyReply) => {
  const { per_page: perPage = MAX_PER_PAGE, page = 1, search = '[]' } = options
  const found = await reply.server.scopedAudits.page(
    { scope, conditions: readSearch(search) },
    { page, perPage },
    { signal: cancellationOf(reply) }
  )
  return toAuditPageJson(page, found)
}
