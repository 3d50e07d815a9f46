import type { Writable } from 'node:stream'
import Fastify from 'fastify'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'
import type { BackgroundHooks } from '../domain/background.ts'
import { MASK, redact, redactPath } from '../net/redaction.ts'

/** The levels at which completed requests are logged. */
const WRITING = new Set(['info', 'debug', 'trace'])

/** Logs one line for each request instead of Fastify's two, which halves the work and the volume of the log. */
class OneLinePerRequest extends Fastify.LogController {
  override incomingRequest(): void {}

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    if (!WRITING.has(request.log.level)) return
    request.log.info(
      {
        method: request.method,
        route: request.routeOptions.url,
        path: request.routeOptions.url === undefined ? redactPath(request.url) : undefined,
        status: reply.statusCode,
        milliseconds: Math.round(reply.elapsedTime * 100) / 100,
        address: request.ip,
        ...requesterOf(request),
        err: error
      },
      'request completed'
    )
  }
}

/** The names of properties that may contain credentials in any format. */
const SECRETS = [
  'authorization',
  'access-token',
  'password',
  'current_password',
  'secret',
  'token',
  'key_id',
  'key_access_token'
]

const member = (name: string): string => (name.includes('-') ? `["${name}"]` : name)

const paths = SECRETS.flatMap(name => [
  member(name),
  ...['body', 'headers', 'req.headers'].map(parent =>
    name.includes('-') ? `${parent}${member(name)}` : `${parent}.${name}`
  )
])

/**
 * Creates the options for logging JSON lines, by default to standard output. Pino redacts the properties in `SECRETS`,
 * and `redact` anything else that looks like a credential. If a line can't be written, because the disk is full or the
 * pipe is closed, it's dropped.
 */
export const loggingOptions = (
  output: Writable = process.stdout
): Pick<FastifyServerOptions, 'logger'> & { logController: OneLinePerRequest } => ({
  logController: new OneLinePerRequest(),
  logger: { redact: { paths, censor: MASK }, hooks: { streamWrite: redact }, stream: withoutFailures(output) }
})

/** Creates hooks that log when background work fails, and when it succeeds again. */
export const logBackground = (log: FastifyBaseLogger): BackgroundHooks => ({
  onFailure: (err, work) => {
    log.warn({ err }, `could not ${work}; further failures are not logged until it succeeds`)
  },
  onRecovery: work => {
    log.info(`can ${work} again`)
  }
})

// If the disk is full, Pino's own stream retries forever, which blocks the event loop.
const withoutFailures = (stream: Writable): Writable =>
  stream.listeners('error').includes(drop) ? stream : stream.on('error', drop)

const drop = (): void => {}

/** Returns the id of the key or user that sent a request. Requests that Fastify can't route have no `principal`. */
const requesterOf = ({ principal }: Partial<Pick<FastifyRequest, 'principal'>>): { key?: string; user?: number } => {
  if (!principal) return {}
  return principal.kind === 'user' ? { user: principal.user.id } : { key: principal.key.id }
}
