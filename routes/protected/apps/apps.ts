import type { FastifyReply } from 'fastify'
import { originOf } from '../../../access/principal.ts'
import { randomAppName } from '../../../apps/app.ts'
import type { App } from '../../../apps/app.ts'
import { suggestName } from '../../../apps/name-suggestion.ts'
import type { RoutesPlugin } from '../../../plugins/validation.ts'
import { noContent, problemReplies, reply } from '../../../http/replies.ts'
import { AppNotFound, DescriptiveNameTaken, InvalidFields, OwnerNotFound } from '../../../problems/table.ts'
import { fields, locationHeader, NameParams, toChange, toName } from './fields.ts'

const NewAppBody = {
  type: 'object',
  required: ['descriptive_name', 'owner_type', 'owner_id'],
  properties: {
    ...fields,
    owner_type: { type: 'string', enum: ['User', 'Organization'], description: 'A client key belongs to nobody, so it names the owner.', examples: ['User'] },
    owner_id: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'The id of a user or an organization.', examples: [1] }
  }
} as const

const ChangeBody = { type: 'object', properties: fields } as const

const CopyBody = {
  type: 'object', required: ['new_app_descriptive_name'], properties: { new_app_descriptive_name: fields.descriptive_name }
} as const

const Suggestion = {
  description: 'A name.', type: 'object', required: ['suggestion'], properties: { suggestion: { type: 'string', examples: ['Divine Person'] } }
}

const routes: RoutesPlugin = async fastify => {
  const { apps } = fastify.stores

  const send = (response: FastifyReply, app: App | null): FastifyReply => {
    if (app === null) throw new AppNotFound()
    if (response.statusCode === 201) response.header('location', `/apps/${app.name}`)
    return response.type('application/json; charset=utf-8').send(fastify.writeApp(app))
  }

  fastify.post('', {
    config: { scope: 'apps:write' },
    schema: {
      operationId: 'createApp',
      summary: 'Create an app',
      description: 'Makes an app for the named owner, with a name and a port of its own.',
      tags: ['Apps'],
      body: NewAppBody,
      response: {
        201: reply('The new app.', 'App', locationHeader),
        ...problemReplies(DescriptiveNameTaken, InvalidFields, OwnerNotFound)
      }
    }
  }, async (request, response) => send(response.code(201), await apps.insert({
    panels: null,
    schedule: null,
    ...toChange(request.body),
    name: randomAppName(),
    descriptiveName: request.body.descriptive_name,
    owner: { type: request.body.owner_type, id: request.body.owner_id },
    createdAt: now()
  }, originOf(request))))

  fastify.get('/name_suggestion', {
    config: { scope: 'apps:read' },
    schema: {
      operationId: 'suggestAppName',
      summary: 'Suggest a descriptive name',
      description: 'An adjective and a noun, picked at random. The name is not reserved.',
      tags: ['Apps'],
      response: { 200: Suggestion }
    }
  }, async () => ({ suggestion: suggestName() }))

  fastify.get('/:name', {
    config: { scope: 'apps:read' },
    schema: {
      operationId: 'showApp',
      summary: 'Show an app',
      description: 'The app of this name, whoever owns it.',
      tags: ['Apps'],
      params: NameParams,
      response: { 200: reply('The app.', 'App'), ...problemReplies(AppNotFound) }
    }
  }, async ({ params }, response) => send(response, await apps.findByName(params.name)))

  for (const method of ['PUT', 'PATCH'] as const) {
    fastify.route({
      method,
      url: '/:name',
      config: { scope: 'apps:write' },
      schema: {
        operationId: method === 'PUT' ? 'updateApp' : 'patchApp',
        summary: method === 'PUT' ? 'Update an app' : 'Update an app (PATCH)',
        description: 'Changes the fields that are sent and leaves the others as they are; PUT and PATCH do the same. Fields other than these are ignored.',
        tags: ['Apps'],
        params: NameParams,
        body: ChangeBody,
        response: { 200: reply('The app as it is now.', 'App'), ...problemReplies(AppNotFound, DescriptiveNameTaken, InvalidFields) }
      },
      handler: async (request, response) => send(response, await apps.update(request.params.name, toChange(request.body), now(), originOf(request)))
    })
  }

  fastify.delete('/:name', {
    config: { scope: 'apps:write' },
    schema: {
      operationId: 'deleteApp',
      summary: 'Delete an app',
      description: 'The app leaves every list but those with `include_deleted=true`, and its descriptive name is free again.',
      tags: ['Apps'],
      params: NameParams,
      response: { 204: noContent('The app is deleted.'), ...problemReplies(AppNotFound) }
    }
  }, async (request, response) => {
    if (!await apps.discard(request.params.name, now(), originOf(request))) throw new AppNotFound()
    return await response.code(204).send(null)
  })

  fastify.post('/:name/copy', {
    config: { scope: 'apps:write' },
    schema: {
      operationId: 'copyApp',
      summary: 'Copy an app',
      description: 'Makes a new app for the same owner, with the panels, the schedule and the tags of this one.',
      tags: ['Apps'],
      params: NameParams,
      body: CopyBody,
      response: {
        201: reply('The new app.', 'App', locationHeader),
        ...problemReplies(AppNotFound, DescriptiveNameTaken, InvalidFields)
      }
    }
  }, async (request, response) => send(response.code(201), await apps.copy(request.params.name, {
    name: randomAppName(),
    descriptiveName: toName(request.body.new_app_descriptive_name),
    createdAt: now()
  }, originOf(request))))
}

export default routes

const now = (): string => new Date().toISOString()
