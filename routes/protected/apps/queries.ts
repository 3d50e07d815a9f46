import type { FastifyReply } from 'fastify'
import { Readable } from 'node:stream'
import { contextOf } from '../../../domain/access/principal.ts'
import type { App } from '../../../domain/apps/app.ts'
import { AppNotFound, InvalidFields } from '../../../domain/errors.ts'
import { cancellationOf } from '../../../http/cancellation.ts'
import { linkHeader, setNextLink } from '../../../http/links.ts'
import { NDJSON, varyByAccept, wantsNdjson } from '../../../http/ndjson.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { WriteApp } from '../../../http/representations/apps.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { NameParams, sendApp, toAppKey } from './fields.ts'
import { ListQuery, nextPath, toAppQuery } from './list-query.ts'

const STREAM_BUFFER_BYTES = 64 * 1024

export const listSchema = {
  operationId: 'listApps',
  summary: 'List apps',
  description: `With a client key, every app of every owner; as a user, the apps that the user may read. Ordered by
\`descriptive_name\`.

Without \`limit\` the whole list comes in one reply, streamed: there may be millions. A transfer that breaks off did not
end. With \`limit\` a page comes, and the \`Link\` header with \`rel="next"\` (RFC 8288) leads to the next one. With
\`Accept: ${NDJSON}\` each app is a line of its own.`,
  tags: ['Apps'],
  querystring: ListQuery,
  response: {
    200: {
      description: 'The apps.',
      headers: linkHeader('</apps?limit=100&after=WyJJbnZvaWNlIFN5bmMiLDFd>; rel="next"'),
      // Without NDJSON: with two media types, generated clients would not know that JSON is an array.
      content: { 'application/json': { schema: { type: 'array', items: { $ref: 'App#' } } } }
    },
    ...problemReplies(InvalidFields)
  }
}

export const listApps: Handler<typeof listSchema> = async (request, reply) => {
  const { apps, writeApp } = request.server
  const query = toAppQuery(request.query)
  const { batches, next } = await apps.list(query, contextOf(request), { signal: cancellationOf(reply) })
  if (next !== null) setNextLink(reply, nextPath(request.query, query, next))

  const form = wantsNdjson(request) ? 'lines' : 'array'
  varyByAccept(reply.type(`${form === 'lines' ? NDJSON : 'application/json'}; charset=utf-8`))
  if (request.method === 'HEAD') return await reply.send(Readable.from([]))
  return await sendChunks(reply, writeList(form, batches, writeApp))
}

// The first chunks are read before anything is sent, so that a database that fails at once is still a proper reply, and
// a list of one chunk goes out as one piece.
const sendChunks = async (reply: FastifyReply, chunks: AsyncGenerator<string, void>): Promise<FastifyReply> => {
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

/** The form of a list: a JSON array, or one app a line (NDJSON). */
export type ListForm = 'array' | 'lines'

interface Marks {
  start: string
  between: string
  end: string
}

const marks: Record<ListForm, Marks> = {
  array: { start: '[', between: ',', end: ']' },
  lines: { start: '', between: '\n', end: '\n' }
}

/**
 * Writes a list as text, a chunk a batch. The end is in the last chunk, so that a list of one batch is one chunk; a
 * chunk may be empty, which lets a consumer that has gone stop a long search.
 */
export async function* writeList(
  form: ListForm,
  batches: AsyncIterable<App[]>,
  write: WriteApp
): AsyncGenerator<string, void> {
  const { start, between, end } = marks[form]
  let held = start
  let begun = false
  let first = true
  for await (const batch of batches) {
    if (begun) {
      yield held
      held = ''
    }
    begun = true
    for (const app of batch) {
      held += first ? write(app) : between + write(app)
      first = false
    }
  }
  yield first && form === 'lines' ? '' : held + end
}

export const showSchema = {
  operationId: 'showApp',
  summary: 'Show an app',
  description: 'The app of this name or id, whoever owns it.',
  tags: ['Apps'],
  params: NameParams,
  response: { 200: reply('The app.', 'App'), ...problemReplies(AppNotFound) }
}

export const showApp: Handler<typeof showSchema> = async (request, response) =>
  sendApp(response, await request.server.apps.find(toAppKey(request.params.name), contextOf(request)))
