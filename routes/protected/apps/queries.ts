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
  description:
    'Lists apps in the order of `descriptive_name`. With a client key, the list contains every app of every owner. ' +
    'With a session, it contains the apps that the user may read.\n\nWithout `limit`, the reply contains the whole ' +
    'list, which is streamed, because there may be millions of apps. If the connection is closed before the end of ' +
    'the reply, the list is incomplete. With `limit`, the reply contains a page, and the `Link` header with ' +
    `\`rel="next"\` (RFC 8288) contains the URL of the next page. With \`Accept: ${NDJSON}\`, each app is on a ` +
    'separate line.',
  tags: ['Apps'],
  querystring: ListQuery,
  response: {
    200: {
      description: 'The apps.',
      headers: linkHeader('</apps?limit=100&after=WyJJbnZvaWNlIFN5bmMiLDFd>; rel="next"'),
      // NDJSON isn't listed, because generated clients only treat the JSON as an array if it is the only media type.
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

// Reads two chunks before sending anything. This way, an immediate database failure results in an error response, and a
// list with a single chunk is sent in one piece.
const sendChunks = async (reply: FastifyReply, chunks: AsyncGenerator<string, void>): Promise<FastifyReply> => {
  const first = await chunks.next()
  const second = await chunks.next()
  if (second.done === true) return await reply.send(first.value)

  const body = Readable.from(join([String(first.value), second.value], chunks), {
    objectMode: false,
    highWaterMark: STREAM_BUFFER_BYTES
  })
  // Resets the connection, because HTTP/1.0 clients treat a normal close as the end of a complete response.
  body.once('error', () => reply.raw.socket?.resetAndDestroy())
  return await reply.send(body)
}

async function* join(started: readonly string[], rest: AsyncIterable<string>): AsyncGenerator<string, void> {
  yield* started
  yield* rest
}

/** The format of a list: a JSON array, or one app per line (NDJSON). */
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
 * Serializes a list, with one chunk for each batch. The last chunk includes the end of the list, so a list with only
 * one batch is a single chunk. Chunks may be empty, so that long searches stop soon after the client disconnects.
 */
export async function* writeList(
  form: ListForm,
  batches: AsyncIterable<App[]>,
  write: WriteApp
): AsyncGenerator<string, void> {
  const { start, between, end } = marks[form]
  let pending = start
  let started = false
  let first = true
  for await (const batch of batches) {
    if (started) {
      yield pending
      pending = ''
    }
    started = true
    for (const app of batch) {
      pending += first ? write(app) : between + write(app)
      first = false
    }
  }
  yield first && form === 'lines' ? '' : pending + end
}

export const showSchema = {
  operationId: 'showApp',
  summary: 'Show an app',
  description: 'Returns the app with this name or id, regardless of its owner. Users must have permission to read it.',
  tags: ['Apps'],
  params: NameParams,
  response: { 200: reply('The app.', 'App'), ...problemReplies(AppNotFound) }
}

export const showApp: Handler<typeof showSchema> = async (request, response) =>
  sendApp(response, await request.server.apps.find(toAppKey(request.params.name), contextOf(request)))
