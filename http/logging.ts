import Fastify from 'fastify'
import type { FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'
import { redact, redactPath } from '../keys/redaction.ts'

/** One line for each answered request, instead of Fastify's two: half the work, and nothing that a client could fill. */
class OneLineARequest extends Fastify.LogController {
  readonly #written: boolean

  constructor (written: boolean) {
    super()
    this.#written = written
  }

  override incomingRequest (): void {}

  override requestCompleted (error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    if (!this.#written) return
    request.log.info({
      method: request.method,
      route: request.routeOptions.url,
      path: request.routeOptions.url === undefined ? redactPath(request.url) : undefined,
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime * 100) / 100,
      address: request.ip,
      ...callerOf(request),
      err: error
    }, 'request completed')
  }
}

/**
 * Logs JSON lines to standard output. Every line is redacted as it is written, whoever wrote it. A line that can't be
 * written, since the disk is full or the reader has gone, is dropped: the service goes on.
 */
export const loggingOptions = (level: string): Pick<FastifyServerOptions, 'logger' | 'logController'> => ({
  logController: new OneLineARequest(['info', 'debug', 'trace'].includes(level)),
  logger: { level, hooks: { streamWrite: redact }, stream: output() }
})

// Pino's own stream tries again for ever where the disk is full, and blocks the process while it does.
const output = (): NodeJS.WriteStream => {
  if (!process.stdout.listeners('error').includes(drop)) process.stdout.on('error', drop)
  return process.stdout
}

const drop = (): void => {}

const callerOf = ({ principal }: FastifyRequest): { key?: string, user?: number } =>
  principal === null ? {} : principal.kind === 'user' ? { user: principal.user.id } : { key: principal.key.id }
