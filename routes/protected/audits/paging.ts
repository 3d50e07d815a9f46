import type { FastifyReply } from 'fastify'
import type { AuditScope } from '../../../domain/audits/scope.ts'
import { readSearch } from '../../../http/audit-search.ts'
import { cancellationOf } from '../../../http/cancellation.ts'
import { toAuditPageJson } from '../../../http/representations/audit-pages.ts'

const MAX_PER_PAGE = 100

/** The query of a page of audits, in the form of Trivial's own clients. */
export const AuditPageQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    per_page: {
      type: 'integer',
      minimum: 1,
      maximum: MAX_PER_PAGE,
      description: `How many entries a page has; ${MAX_PER_PAGE} by default.`,
      examples: [20]
    },
    page: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000,
      description: 'Which page; the first by default.',
      examples: [1]
    },
    search: {
      type: 'string',
      maxLength: 4000,
      description:
        'Only entries that meet every condition of a JSON array of `{c, o, p}`: a column (`id`, `user_id` or ' +
        '`created_at`), an operator (`=`, `!=`, `<>`, `<`, `<=`, `>`, `>=` or `IN`) and a value.',
      examples: ['[{"c":"created_at","o":">=","p":"2026-01-05T00:00:00Z"}]']
    }
  }
} as const

interface PageOptions {
  per_page?: number
  page?: number
  search?: string
}

/** The page of the audits of a scope that a request asks for. */
export const pageOfAudits = async (scope: AuditScope, options: PageOptions, reply: FastifyReply) => {
  const { per_page: perPage = MAX_PER_PAGE, page = 1, search = '[]' } = options
  const found = await reply.server.scopedAudits.page(
    { scope, conditions: readSearch(search) },
    { page, perPage },
    { signal: cancellationOf(reply) }
  )
  return toAuditPageJson(page, found)
}
