import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import { changeSchema, changeService, createSchema, createService, removeSchema, removeService } from './changes.ts'
import { listSchema, listServices, showSchema, showService } from './queries.ts'

const reading = { scope: 'services:read', users: 'none' } as const
const writing = { scope: 'services:write', users: 'none' } as const

const routes: RoutesPlugin = async fastify => {
  fastify.get('', { config: reading, schema: listSchema }, listServices)
  fastify.post('', { config: writing, schema: createSchema }, createService)
  fastify.get('/:name', { config: reading, schema: showSchema }, showService)
  fastify.patch('/:name', { config: writing, schema: changeSchema }, changeService)
  fastify.delete('/:name', { config: writing, schema: removeSchema }, removeService)
}

export default routes
