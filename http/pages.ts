import type { FastifyReply } from 'fastify'

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
