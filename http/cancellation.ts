import type { FastifyReply } from 'fastify'

/**
 * Returns a signal that is aborted if the connection of a request is closed before the reply is sent. Fastify's own
 * signal can't be used, because it is aborted as soon as the body of the request has been read.
 */
export const cancellationOf = ({ raw }: Pick<FastifyReply, 'raw'>): AbortSignal => {
  const controller = new AbortController()
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort()
  })
  return controller.signal
}
