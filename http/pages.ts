import type { FastifyReply } from 'fastify'
import { splitUrl } from '../net/url.ts'
import { setNextLink } from './links.ts'
import { id } from './validation.ts'

/** How many entries a page has unless the request tells. */
export const DEFAULT_LIMIT = 100

/** What the form of a list has at first in Swagger UI. */
export const EXAMPLE_LIMIT = 20

/** What a list takes that is answered by page: `limit`, and the place that `linkNext` tells. */
export const pageQuery = (things: string) =>
  ({
    limit: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      description: `How many ${things} a page has; ${DEFAULT_LIMIT} by default.`,
      examples: [EXAMPLE_LIMIT]
    },
    after: {
      ...id,
      minimum: 0,
      description: 'Where the page starts: copy it from the `Link` header of the page before.'
    }
  }) as const

/** Links to the next page of a list: the same path and query, after the last entry of this page. */
export const linkNext = (reply: FastifyReply, last: string | number | undefined): void => {
  const { path, query } = splitUrl(reply.request.url)
  const next = new URLSearchParams(query)
  next.set('after', String(last))
  setNextLink(reply, `${path}?${next.toString()}`)
}
