import type { FastifyReply } from 'fastify'

/**
 * Returns a signal that is aborted if the connection closes before the response has been sent. Fastify's
 * `request.signal` can't be used, because it's aborted as soon as the request body has been read.
 */
export const cancellationOf = ({ raw }: Pick<FastifyReply, 'raw'>): AbortSignal => {
  const controller = new AbortController()
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort()
  })
  return controller.signal
}
