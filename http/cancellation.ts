import type { FastifyReply } from 'fastify'

/**
 * Returns a signal that aborts if the connection of a request closes before the reply has been sent. Fastify's own
 * signal can't be used, because it aborts as soon as the request body has been read.
 */
export const cancellationOf = ({ raw }: Pick<FastifyReply, 'raw'>): AbortSignal => {
  const controller = new AbortController()
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort()
  })
  return controller.signal
}
