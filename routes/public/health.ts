import { NotReady } from '../../domain/errors.ts'
import type { Obstacle } from '../../domain/readiness.ts'
import { problemReplies } from '../../http/replies.ts'
import type { Handler, RoutesPlugin } from '../../plugins/app/validation.ts'

const Status = {
  description: 'The service is alive.',
  type: 'object',
  required: ['status'],
  properties: { status: { type: 'string', examples: ['ok'] } }
}

const aliveSchema = {
  operationId: 'isUp',
  summary: 'Check whether the service is alive',
  description: 'Replies as soon as the service is running, without using the database.',
  tags: ['Health'],
  security: [],
  response: { 200: Status }
}

const ReadyStatus = {
  description: 'The service is ready.',
  type: 'object',
  required: ['status', 'changes', 'failing'],
  properties: {
    status: { type: 'string', enum: ['ok'] },
    changes: { type: 'string', enum: ['accepted', 'refused'], description: 'Whether changes are accepted.' },
    failing: {
      type: 'array',
      description: 'The reasons why changes are refused. Empty if changes are accepted.',
      items: { type: 'string', enum: ['primary'] },
      examples: [[]]
    }
  }
}

const readySchema = {
  operationId: 'isReady',
  summary: 'Check whether the service is ready',
  description:
    'Replies with 200 if requests with client keys can be processed, and with 503 otherwise. The reply also ' +
    'reports whether changes are accepted, and what has failed. `lease`: the node cannot read changes made by ' +
    'other nodes. `primary`: the database cannot be reached, or accepts no changes. `schema`: the database has no ' +
    'tables, or its tables are from another version.',
  tags: ['Health'],
  security: [],
  response: { 200: ReadyStatus, ...problemReplies(NotReady) }
}

const routes: RoutesPlugin = async fastify => {
  // Any query parameter is allowed, so that a probe can add one to bypass proxy caches.
  const config = { anyQuery: true }
  fastify.get('/up', { config, schema: aliveSchema }, isAlive)
  fastify.get('/ready', { config, schema: readySchema }, isReady)
}

export default routes

const isAlive: Handler<typeof aliveSchema> = async () => ({ status: 'ok' })

const OBSTACLES: Readonly<Record<Obstacle, string>> = {
  lease: 'lease: the service cannot read changes to client keys from the database',
  primary: 'primary: the database cannot be reached, or accepts no changes',
  schema: 'schema: the database has no tables, or its tables are from another version'
}

const isReady: Handler<typeof readySchema> = async ({ server, log }) => {
  const { keys, changes, failing, causes } = await server.storage.readiness()
  if (!keys) throw new NotReady({ errors: failing.map(obstacle => OBSTACLES[obstacle]), cause: causes[0] })
  if (!changes) log.warn({ failing }, 'changes are refused')
  return { status: 'ok', changes: changes ? 'accepted' : 'refused', failing }
}
