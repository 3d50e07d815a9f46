import type { FastifyRequest } from 'fastify'
import type { XStatic } from 'typebox/schema'
import { askerOf } from '../../../domain/access/principal.ts'
import { randomAppName } from '../../../domain/apps/app.ts'
import type { Owner } from '../../../domain/apps/app.ts'
import { id, sentences } from '../../../domain/json/validation.ts'
import type { Fault } from '../../../domain/json/validation.ts'
import { suggestName } from '../../../domain/apps/name-suggestion.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import { noContent, problemReplies, reply } from '../../../http/replies.ts'
import {
  AppNotFound,
  DescriptiveNameTaken,
  Forbidden,
  InvalidFields,
  NoPortLeft,
  OwnerNotFound
} from '../../../domain/errors.ts'
import { fields, locationHeader, NameParams, sendApp, toChange, toName } from './fields.ts'

const NewAppBody = {
  type: 'object',
  required: ['descriptive_name'],
  properties: {
    ...fields,
    owner_type: {
      type: 'string',
      enum: ['User', 'Organization'],
      description:
        'A client key belongs to nobody, so it names the owner; a user may name an organization of which they are an admin.',
      examples: ['User']
    },
    owner_id: { ...id, description: 'The id of a user or an organization.', examples: [1] }
  }
} as const

const ChangeBody = { type: 'object', properties: fields } as const

const CopyBody = {
  type: 'object',
  required: ['new_app_descriptive_name'],
  properties: { new_app_descriptive_name: fields.descriptive_name }
} as const

const Suggestion = {
  description: 'A name.',
  type: 'object',
  required: ['suggestion'],
  properties: { suggestion: { type: 'string', examples: ['Divine Person'] } }
}

const routes: RoutesPlugin = async fastify => {
  const { apps } = fastify.stores

  fastify.post(
    '',
    {
      // So that what is wrong with the owner, which depends on who asks, is told with all else.
      attachValidation: true,
      config: { scope: 'apps:write', users: 'any' },
      schema: {
        operationId: 'createApp',
        summary: 'Create an app',
        description:
          'Makes an app, with a name and a port of its own, for the owner that is named; for a user who names none, for themselves.',
        tags: ['Apps'],
        body: NewAppBody,
        response: {
          201: reply('The new app.', 'App', locationHeader),
          ...problemReplies(Forbidden, DescriptiveNameTaken, NoPortLeft, InvalidFields, OwnerNotFound)
        }
      }
    },
    async (request, response) =>
      sendApp(
        response.code(201),
        await apps.insert(
          {
            owner: ownerOf(request, request.body),
            panels: null,
            schedule: null,
            ...toChange(request.body),
            name: randomAppName(),
            descriptiveName: request.body.descriptive_name,
            createdAt: now()
          },
          askerOf(request)
        )
      )
  )

  fastify.get(
    '/name_suggestion',
    {
      config: { scope: 'apps:read', users: 'any' },
      schema: {
        operationId: 'suggestAppName',
        summary: 'Suggest a descriptive name',
        description: 'An adjective and a noun, picked at random. The name is not reserved.',
        tags: ['Apps'],
        response: { 200: Suggestion }
      }
    },
    async () => ({ suggestion: suggestName() })
  )

  fastify.get(
    '/:name',
    {
      config: { scope: 'apps:read', users: 'any' },
      schema: {
        operationId: 'showApp',
        summary: 'Show an app',
        description: 'The app of this name, whoever owns it.',
        tags: ['Apps'],
        params: NameParams,
        response: { 200: reply('The app.', 'App'), ...problemReplies(AppNotFound) }
      }
    },
    async (request, response) => sendApp(response, await apps.find(request.params.name, askerOf(request)))
  )

  for (const method of ['PUT', 'PATCH'] as const) {
    fastify.route({
      method,
      url: '/:name',
      config: { scope: 'apps:write', users: 'any' },
      schema: {
        operationId: method === 'PUT' ? 'updateApp' : 'patchApp',
        summary: method === 'PUT' ? 'Update an app' : 'Update an app (PATCH)',
        description: 'Changes the fields that are sent and leaves the others as they are; PUT and PATCH do the same.',
        tags: ['Apps'],
        params: NameParams,
        body: ChangeBody,
        response: {
          200: reply('The app as it is now.', 'App'),
          ...problemReplies(AppNotFound, Forbidden, DescriptiveNameTaken, InvalidFields)
        }
      },
      handler: async (request, response) =>
        sendApp(response, await apps.update(request.params.name, toChange(request.body), now(), askerOf(request)))
    })
  }

  fastify.delete(
    '/:name',
    {
      config: { scope: 'apps:write', users: 'any' },
      schema: {
        operationId: 'deleteApp',
        summary: 'Delete an app',
        description:
          'The app leaves every list but those with `include_deleted=true`, and its descriptive name is free again.',
        tags: ['Apps'],
        params: NameParams,
        response: { 204: noContent('The app is deleted.'), ...problemReplies(AppNotFound, Forbidden) }
      }
    },
    async (request, response) => {
      if (!(await apps.discard(request.params.name, now(), askerOf(request)))) throw new AppNotFound()
      return await response.code(204).send(null)
    }
  )

  fastify.post(
    '/:name/copy',
    {
      config: { scope: 'apps:write', users: 'any' },
      schema: {
        operationId: 'copyApp',
        summary: 'Copy an app',
        description: 'Makes a new app for the same owner, with the panels, the schedule and the tags of this one.',
        tags: ['Apps'],
        params: NameParams,
        body: CopyBody,
        response: {
          201: reply('The new app.', 'App', locationHeader),
          ...problemReplies(AppNotFound, Forbidden, DescriptiveNameTaken, NoPortLeft, InvalidFields)
        }
      }
    },
    async (request, response) =>
      sendApp(
        response.code(201),
        await apps.copy(
          request.params.name,
          {
            name: randomAppName(),
            descriptiveName: toName(request.body.new_app_descriptive_name),
            createdAt: now()
          },
          askerOf(request)
        )
      )
  )
}

export default routes

/**
 * The owner that a body names, or else the user who asks. Throws InvalidFields for that and for all else that is wrong.
 */
const ownerOf = (request: FastifyRequest, body: Partial<XStatic<typeof NewAppBody>> | null): Owner => {
  const { userId } = askerOf(request)
  const { owner_type: type, owner_id: id } = body ?? {}
  const faults = sentences((request.validationError?.validation ?? []) as Fault[])
  if (faults.length === 0 && type !== undefined && id !== undefined) return { type, id }
  const isOwn = userId !== null && type === undefined && id === undefined
  if (faults.length === 0 && isOwn) return { type: 'User', id: userId }
  const asksForNone = isOwn || Array.isArray(body) || !body
  const missing = asksForNone
    ? []
    : Object.entries({ owner_type: type, owner_id: id }).filter(([, value]) => value === undefined)
  throw new InvalidFields([...faults, ...missing.map(([name]) => `${name} is required`)])
}

const now = (): string => new Date().toISOString()
