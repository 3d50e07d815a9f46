import type { FastifyReply } from 'fastify'

/**
 * A signal that is aborted when the connection of a request is closed before its reply was sent. Fastify's own is
 * aborted as soon as the body of a request was read.
 */
export const cancellationOf = ({ raw }: Pick<FastifyReply, 'raw'>): AbortSignal => {
  const controller = new AbortController()
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort()
  })
  return controller.signal
}
