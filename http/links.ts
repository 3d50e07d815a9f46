import type { FastifyReply } from 'fastify'

const RELATIVE = 'If it is relative, resolve it against the URL of the request.'

/** Returns the OpenAPI description of a response's `Location` header. */
export const locationHeader = (thing: string, example: string) =>
  ({
    Location: { type: 'string', description: `The URL of ${thing}. ${RELATIVE}`, examples: [example] }
  }) as const

/** Returns the OpenAPI description of a list's `Link` header. */
export const linkHeader = (example: string) =>
  ({
    Link: {
      type: 'string',
      pattern: '^<[^<>]+>; rel="next"$',
      description:
        'The link to the next page (RFC 8288): its URL in `<` and `>`, followed by `rel="next"`, which is the only ' +
        `relation. The last page has no such header. ${RELATIVE}`,
      examples: [example]
    }
  }) as const

// Doesn't use request headers, because clients or untrusted proxies could set them to redirect other clients.
const urlOf = ({ server }: FastifyReply, path: string): string => `${server.config.PUBLIC_URL}${path}`

/** Sets `Location` to the URL of a path on this service. The URL has no host if `PUBLIC_URL` is empty. */
export const setLocation = (reply: FastifyReply, path: string): FastifyReply =>
  reply.header('location', urlOf(reply, path))

/** Sets `Link` to the URL of the next page, at the given path. The URL has no host if `PUBLIC_URL` is empty. */
export const setNextLink = (reply: FastifyReply, path: string): FastifyReply =>
  reply.header('link', `<${urlOf(reply, path)}>; rel="next"`)
