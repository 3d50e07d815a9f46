import type { FastifyReply } from 'fastify'

const RELATIVE = 'If it is relative, resolve it against the URL of the request.'

/** The documentation of the `Location` header of a reply. */
export const locationHeader = (thing: string, example: string) =>
  ({
    Location: { type: 'string', description: `The URL of ${thing}. ${RELATIVE}`, examples: [example] }
  }) as const

/** The documentation of the `Link` header of a list. */
export const linkHeader = (example: string) =>
  ({
    Link: {
      type: 'string',
      pattern: '^<[^<>]+>; rel="next"$',
      description:
        'The next page (RFC 8288): its URL in `<` and `>`, and `rel="next"`, the only relation that is used. The ' +
        `last page has no such header. ${RELATIVE}`,
      examples: [example]
    }
  }) as const

// Nothing comes from headers: what a client, or a proxy that is not known, sends would decide where others go.
const urlOf = ({ server }: FastifyReply, path: string): string => `${server.config.PUBLIC_URL}${path}`

/** Sets `Location` to the URL of a path of this service, which is relative to the host if `PUBLIC_URL` is empty. */
export const setLocation = (reply: FastifyReply, path: string): FastifyReply =>
  reply.header('location', urlOf(reply, path))

/** Sets `Link` to the URL of the next page, as `setLocation` does. */
export const setNextLink = (reply: FastifyReply, path: string): FastifyReply =>
  reply.header('link', `<${urlOf(reply, path)}>; rel="next"`)
