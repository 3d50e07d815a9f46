import type { FastifyReply } from 'fastify'
import { splitUrl } from '../net/url.ts'
import { setNextLink } from './links.ts'
import { id } from './validation.ts'

/** The number of entries on a page if the request has no `limit`. */
export const DEFAULT_LIMIT = 100

/** The initial value of `limit` in Swagger UI. */
export const EXAMPLE_LIMIT = 20

/** Creates the query parameters for a paginated list: `limit`, and `after`, which `linkNext` sets. */
export const pageQuery = (things: string) =>
  ({
    limit: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      description: `The maximum number of ${things} on a page. The default is ${DEFAULT_LIMIT}.`,
      examples: [EXAMPLE_LIMIT]
    },
    after: {
      ...id,
      minimum: 0,
      description: 'The position where the page starts. Copy it from the `Link` header of the previous page.'
    }
  }) as const

/**
 * Adds a link to the next page of a list. The link has the same path and query as the request, except that `after` is
 * `last`.
 */
export const linkNext = (reply: FastifyReply, last: string | number | undefined): void => {
  const { path, query } = splitUrl(reply.request.url)
  const next = new URLSearchParams(query)
  next.set('after', String(last))
  setNextLink(reply, `${path}?${next.toString()}`)
}
