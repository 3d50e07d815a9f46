import { NotReady } from '../../domain/errors.ts'
import type { Obstacle } from '../../domain/readiness.ts'
import { problemReplies } from '../../http/replies.ts'
import type { Handler, RoutesPlugin } from '../../plugins/app/validation.ts'

const Status = {
  description: 'It is.',
  type: 'object',
  required: ['status'],
  properties: { status: { type: 'string', examples: ['ok'] } }
}

const aliveSchema = {
  operationId: 'isUp',
  summary: 'Is the service alive?',
  description: 'Answers as soon as the service runs. It asks nothing of the database.',
  tags: ['Health'],
  security: [],
  response: { 200: Status }
}

const ReadyStatus = {
  description: 'It is.',
  type: 'object',
  required: ['status', 'changes', 'failing'],
  properties: {
    status: { type: 'string', enum: ['ok'] },
    changes: { type: 'string', enum: ['accepted', 'refused'], description: 'Whether changes are accepted.' },
    failing: {
      type: 'array',
      description: 'What is in the way of changes.',
      items: { type: 'string', enum: ['primary'] },
      examples: [[]]
    }
  }
}

const readySchema = {
  operationId: 'isReady',
  summary: 'Is the service ready?',
  description: `Returns 200 while requests with client keys get their replies, and 503 otherwise. The reply also reports
whether changes are accepted, and what is failing. \`lease\`: the service can't know of changes made elsewhere.
\`primary\`: the database is away, or accepts no changes. \`schema\`: the database has no tables, or those of another
version.`.replaceAll('\n', ' '),
  tags: ['Health'],
  security: [],
  response: { 200: ReadyStatus, ...problemReplies(NotReady) }
}

const routes: RoutesPlugin = async fastify => {
  // A probe may add a parameter of its own, so that no proxy answers it from memory.
  const config = { anyQuery: true }
  fastify.get('/up', { config, schema: aliveSchema }, isAlive)
  fastify.get('/ready', { config, schema: readySchema }, isReady)
}

export default routes

const isAlive: Handler<typeof aliveSchema> = async () => ({ status: 'ok' })

const OBSTACLES: Readonly<Record<Obstacle, string>> = {
  lease: 'lease: the service could not learn from the database what was changed of client keys',
  primary: 'primary: the database is away, or accepts no changes',
  schema: 'schema: the database has no tables, or those of another version'
}

const isReady: Handler<typeof readySchema> = async ({ server, log }) => {
  const { keys, changes, failing, causes } = await server.storage.readiness()
  if (!keys) throw new NotReady({ errors: failing.map(obstacle => OBSTACLES[obstacle]), cause: causes[0] })
  if (!changes) log.warn({ failing }, 'changes are refused')
  return { status: 'ok', changes: changes ? 'accepted' : 'refused', failing }
}
