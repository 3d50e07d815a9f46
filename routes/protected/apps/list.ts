import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { askerOf } from '../../../domain/access/principal.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { writeList } from './listing.ts'
import { MAX_TAGS, parseTaggedWith } from './tagged-with.ts'
import { NDJSON, wantsNdjson } from '../../../http/ndjson.ts'
import { EXAMPLE_LIMIT } from '../../../http/pages.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import { problemReplies } from '../../../http/replies.ts'
import { InvalidFields } from '../../../domain/errors.ts'

const STREAM_BUFFER_BYTES = 64 * 1024

// Swagger UI fills examples in. `limit` has one, so that a first try brings a page and not millions of apps; `after`
// has none, since a page that starts in the middle is a puzzling first reply.
const Query = {
  type: 'object',
  properties: {
    limit: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      description: 'How many apps a page has; without it every app comes.',
      examples: [EXAMPLE_LIMIT]
    },
    after: {
      type: 'string',
      maxLength: 2000,
      description: 'Where the page starts: copy it from the `Link` header of the page before.'
    },
    include_deleted: { type: 'boolean', default: false, description: 'Whether deleted apps come too.' },
    tagged_with: {
      type: 'string',
      maxLength: 2000,
      description: `Only apps that bear all these tags: a JSON array such as \`[{"department":"finance"},{"stage":"production"}]\`, with ${MAX_TAGS} tags at most.`
    }
  }
} as const

const linkHeader = {
  type: 'string',
  description: 'Leads to the next page, where there is one.',
  examples: ['</apps?limit=100&after=WyJJbnZvaWNlIFN5bmMiLDFd>; rel="next"']
}

const routes: RoutesPlugin = async fastify => {
  const { apps } = fastify.stores

  fastify.get(
    '',
    {
      config: { scope: 'apps:read', users: 'any' },
      schema: {
        operationId: 'listApps',
        summary: 'List apps',
        description: `With a client key, every app of every owner; as a user, the apps that the user may read. Ordered by \`descriptive_name\`.

Without \`limit\` the whole list comes in one reply, streamed: there may be millions. A transfer that breaks off did not
end. With \`limit\` a page comes, and the \`Link\` header with \`rel="next"\` (RFC 8288) leads to the next one. With
\`Accept: ${NDJSON}\` each app is a line of its own.`,
        tags: ['Apps'],
        querystring: Query,
        response: {
          200: {
            description: 'The apps.',
            headers: { Link: linkHeader },
            // Without NDJSON: with two media types, generated clients would not know that JSON is an array.
            content: { 'application/json': { schema: { type: 'array', items: { $ref: 'App#' } } } }
          },
          ...problemReplies(InvalidFields)
        }
      }
    },
    async (request, reply) => {
      const { limit, after, include_deleted: includeDiscarded = false, tagged_with: taggedWith = '[]' } = request.query
      const start = after === undefined ? undefined : decodeCursor(after)
      const tags = parseTaggedWith(taggedWith)
      if (start === null || tags === null) {
        throw new InvalidFields([
          ...(start === null ? ['after must be copied from the Link header of the page before'] : []),
          ...(tags === null
            ? [
                `tagged_with must be a JSON array of objects such as {"department":"finance"}, with ${MAX_TAGS} tags at most`
              ]
            : [])
        ])
      }

      const filter = { userId: askerOf(request).userId, includeDiscarded, tags }
      const range = limit === undefined ? { after: start } : await apps.page(filter, limit, start)
      if (range.until !== undefined) {
        const next = new URLSearchParams({
          limit: String(limit),
          after: encodeCursor(range.until),
          ...(includeDiscarded ? { include_deleted: 'true' } : {}),
          ...(tags.length > 0 ? { tagged_with: taggedWith } : {})
        })
        reply.header('link', `</apps?${next.toString()}>; rel="next"`)
      }

      const form = wantsNdjson(request) ? 'lines' : 'array'
      reply.type(`${form === 'lines' ? NDJSON : 'application/json'}; charset=utf-8`).header('vary', 'accept')
      if (request.method === 'HEAD') return await reply.send(Readable.from([]))
      return await send(reply, writeList(form, apps.list(filter, range), fastify.writeApp))
    }
  )
}

export default routes

// The first chunks are read before anything is sent, so that a database that fails at once is still a proper reply, and
// a list of one chunk goes out as one piece.
const send = async (reply: FastifyReply, chunks: AsyncGenerator<string, void>): Promise<FastifyReply> => {
  const first = await chunks.next()
  const second = await chunks.next()
  if (second.done === true) return await reply.send(first.value)

  const body = Readable.from(join([String(first.value), second.value], chunks), {
    objectMode: false,
    highWaterMark: STREAM_BUFFER_BYTES
  })
  // Cut off with a reset, since to a client of HTTP/1.0 a connection that just ends is how a whole reply ends.
  body.once('error', () => reply.raw.socket?.resetAndDestroy())
  return await reply.send(body)
}

async function* join(begun: readonly string[], rest: AsyncIterable<string>): AsyncGenerator<string, void> {
  yield* begun
  yield* rest
}
