import type { FastifyReply } from 'fastify'
import { id } from '../json/validation.ts'

/** How many entries a page has unless the request tells. */
export const DEFAULT_LIMIT = 100

/** What a list takes that is answered by page: `limit`, and the place that `linkNext` tells. */
export const pageQuery = (things: string) => ({
  limit: { type: 'integer', minimum: 1, maximum: 1000, description: `How many ${things} a page has; ${DEFAULT_LIMIT} unless told.` },
  after: { ...id, minimum: 0, description: 'Where the page starts: copy it from the `Link` header of the page before.' }
}) as const

/** The `Link` header of a list, as its documentation has it. */
export const linkHeader = (example: string) => ({
  Link: { type: 'string', description: 'Leads to the next page, where there is one (RFC 8288).', examples: [example] }
}) as const

/** Tells where the next page is: the same path and query, from another place on. */
export const linkNext = (reply: FastifyReply, after: string): void => {
  const [path, query] = reply.request.url.split('?', 2)
  const next = new URLSearchParams(query)
  next.set('after', after)
  reply.header('link', `<${path}?${next.toString()}>; rel="next"`)
}
