import type { Writable } from 'node:stream'
import Fastify from 'fastify'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'
import type { BackgroundHooks } from '../domain/background.ts'
import { MASK, redact, redactPath } from '../net/redaction.ts'

/** The levels at which answered requests are logged. */
const WRITING = new Set(['info', 'debug', 'trace'])

/**
 * One line for each answered request, instead of Fastify's two: half the work, and nothing that a client could fill.
 */
class OneLineARequest extends Fastify.LogController {
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
        ...callerOf(request),
        err: error
      },
      'request completed'
    )
  }
}

/** Where an object that is logged may hold a credential, of whatever form. */
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
 * Logs JSON lines, to standard output by default. Pino redacts what is logged under the name of a credential; then each
 * line is redacted by what could be a credential in it, whoever wrote it. A line that can't be written, since the disk
 * is full or the reader has gone, is dropped: the service goes on.
 */
export const loggingOptions = (
  output: Writable = process.stdout
): Pick<FastifyServerOptions, 'logger'> & { logController: OneLineARequest } => ({
  logController: new OneLineARequest(),
  logger: { redact: { paths, censor: MASK }, hooks: { streamWrite: redact }, stream: withoutFailures(output) }
})

/** Logs what fails in the background, and when it succeeds again. */
export const logBackground = (log: FastifyBaseLogger): BackgroundHooks => ({
  onFailure: (err, work) => {
    log.warn({ err }, `could not ${work}; further failures are not logged until it succeeds`)
  },
  onRecovery: work => {
    log.info(`could ${work} again`)
  }
})

// Pino's own stream tries again for ever where the disk is full, and blocks the process while it does.
const withoutFailures = (stream: Writable): Writable =>
  stream.listeners('error').includes(drop) ? stream : stream.on('error', drop)

const drop = (): void => {}

/** Who sent a request. Fastify itself answers what it can't route, without our decorators. */
const callerOf = ({ principal }: Partial<Pick<FastifyRequest, 'principal'>>): { key?: string; user?: number } => {
  if (!principal) return {}
  return principal.kind === 'user' ? { user: principal.user.id } : { key: principal.key.id }
}
