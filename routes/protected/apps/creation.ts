import type { FastifyRequest } from 'fastify'
import type { XStatic } from 'typebox/schema'
import { contextOf, userIdOf } from '../../../domain/access/principal.ts'
import type { RequestContext } from '../../../domain/access/principal.ts'
import type { Owner } from '../../../domain/apps/app.ts'
import { suggestName } from '../../../domain/apps/name-suggestion.ts'
import {
  AppNotFound,
  DescriptiveNameTaken,
  Forbidden,
  InvalidFields,
  NoPortLeft,
  OwnerNotFound
} from '../../../domain/errors.ts'
import { issuesOf } from '../../../domain/field-issue.ts'
import { refuseCredentials } from '../../../domain/keys/token/shape.ts'
import { problemReplies } from '../../../http/replies.ts'
import { UNUSED_ID } from '../../../http/harmless-examples.ts'
import { id } from '../../../http/validation.ts'
import { fieldIssues } from '../../../http/validation-issues.ts'
import type { Issue } from '../../../http/validation-issues.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { fields, NameParams, newAppReply, sendNewApp, toAppKey, toChange } from './fields.ts'

const NewAppBody = {
  type: 'object',
  required: ['descriptive_name'],
  properties: {
    ...fields,
    owner_type: {
      type: 'string',
      enum: ['User', 'Organization'],
      description:
        'The type of the owner. It is required for client keys, which do not belong to a user. Users can specify ' +
        'an organization of which they are an admin.',
      examples: ['User']
    },
    owner_id: { ...id, description: 'The id of the user or organization that owns the app.', examples: [UNUSED_ID] }
  }
} as const

export const createSchema = {
  operationId: 'createApp',
  summary: 'Create an app',
  description:
    'Creates an app with a unique name and port for the specified owner. If a user does not specify an owner, the ' +
    'app belongs to that user.',
  tags: ['Apps'],
  body: NewAppBody,
  response: {
    201: newAppReply,
    ...problemReplies(Forbidden, DescriptiveNameTaken, NoPortLeft, InvalidFields, OwnerNotFound)
  }
}

export const createApp: Handler<typeof createSchema> = async (request, response) => {
  const context = contextOf(request)
  const owner = ownerOf(request, request.body, context)
  const wanted = { ...toChange(request.body), descriptiveName: request.body.descriptive_name, owner }
  return sendNewApp(response, await request.server.apps.create(wanted, context))
}

/**
 * Returns the owner that the body specifies. If it specifies none, returns the user who sent the request. If the body
 * has issues, such as a missing owner, throws InvalidFields with all of them.
 */
const ownerOf = (
  { validationError }: FastifyRequest,
  body: Partial<XStatic<typeof NewAppBody>> | null,
  context: RequestContext
): Owner => {
  const userId = userIdOf(context)
  const { owner_type: type, owner_id: id } = body ?? {}
  // If the query string is invalid, the body hasn't been validated.
  if (validationError?.validationContext === 'querystring') throw validationError
  const issues = fieldIssues((validationError?.validation ?? []) as Issue[])
  if (issues.length === 0 && type !== undefined && id !== undefined) return { type, id }
  const isOwn = userId !== null && type === undefined && id === undefined
  if (issues.length === 0 && isOwn) return { type: 'User', id: userId }
  const needsNoOwner = isOwn || Array.isArray(body) || !body
  const missing = needsNoOwner
    ? []
    : Object.entries({ owner_type: type, owner_id: id }).filter(([, value]) => value === undefined)
  throw new InvalidFields({
    issues: [...issues, ...missing.flatMap(([name]) => issuesOf(name, [`${name} is required`]))]
  })
}

const CopyBody = {
  type: 'object',
  required: ['new_app_descriptive_name'],
  properties: { new_app_descriptive_name: fields.descriptive_name }
} as const

export const copySchema = {
  operationId: 'copyApp',
  summary: 'Copy an app',
  description: 'Creates an app for the same owner, with the same panels, schedule and tags.',
  tags: ['Apps'],
  params: NameParams,
  body: CopyBody,
  response: {
    201: newAppReply,
    ...problemReplies(AppNotFound, Forbidden, DescriptiveNameTaken, NoPortLeft, InvalidFields)
  }
}

export const copyApp: Handler<typeof copySchema> = async (request, response) => {
  const { server, params, body } = request
  const { new_app_descriptive_name: descriptiveName } = body
  refuseCredentials({ new_app_descriptive_name: descriptiveName })
  return sendNewApp(response, await server.apps.copy(toAppKey(params.name), { descriptiveName }, contextOf(request)))
}

const Suggestion = {
  description: 'A descriptive name.',
  type: 'object',
  required: ['suggestion'],
  properties: { suggestion: { type: 'string', examples: ['Divine Person'] } }
}

export const suggestSchema = {
  operationId: 'suggestAppName',
  summary: 'Suggest a descriptive name',
  description: 'Returns a random adjective and noun. The name is not reserved.',
  tags: ['Apps'],
  response: { 200: Suggestion }
}

export const suggestAppName: Handler<typeof suggestSchema> = async () => ({ suggestion: suggestName() })
