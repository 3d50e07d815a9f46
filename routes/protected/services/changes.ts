import type { FastifyReply } from 'fastify'
import { contextOf } from '../../../domain/access/principal.ts'
import {
  InvalidFields,
  NodesOutdated,
  ServiceInUse,
  ServiceNameTaken,
  ServiceNotFound,
  TooManyServices
} from '../../../domain/errors.ts'
import type { ChangedService } from '../../../domain/services/registry.ts'
import { locationHeader, setLocation } from '../../../http/links.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import {
  ChangeServiceBody,
  ForceQuery,
  NewServiceBody,
  toChangedServiceJson,
  toServiceChange
} from '../../../http/representations/services.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { changedReplies } from '../client_keys/changes.ts'
import { NameParams } from './queries.ts'

/** Sends a changed service. Without a receipt, the status is 202, and `Location` is the URL of the receipt. */
const sendChanged = async (response: FastifyReply, changed: ChangedService): Promise<unknown> => {
  if (changed.receipt === null) setLocation(response.code(202), `/receipts/${changed.receiptId}`)
  return await response.send(toChangedServiceJson(changed))
}

const { 202: unconfirmed } = changedReplies('', 'ChangedService')

export const createSchema = {
  operationId: 'createService',
  summary: 'Create a service',
  description:
    'Creates a service, so that keys can have its scopes. No key has them yet, not even an unscoped key. Names of ' +
    'resources of this API are reserved.',
  tags: ['Services'],
  body: NewServiceBody,
  response: {
    201: reply('The new service.', 'ChangedService', locationHeader('the new service', '/services/orders')),
    202: unconfirmed,
    ...problemReplies(ServiceNameTaken, TooManyServices, InvalidFields, NodesOutdated)
  }
}

export const createService: Handler<typeof createSchema> = async (request, response) => {
  const { server, body } = request
  const wanted = { ...toServiceChange(body), name: body.name }
  const created = await server.serviceRegistry.create(wanted, contextOf(request))
  return await sendChanged(setLocation(response.code(201), `/services/${created.service.name}`), created)
}

export const changeSchema = {
  operationId: 'changeService',
  summary: 'Change a service',
  description:
    'Changes the fields that are sent. `scopes` replaces all scopes of the service. Keys that have a scope that is ' +
    'removed lose it, in the same transaction; this requires `force=true`. A key that loses its last scope can do ' +
    'nothing. Keys with `orders:*` have all scopes of the service `orders` at any time.',
  tags: ['Services'],
  params: NameParams,
  querystring: ForceQuery,
  body: ChangeServiceBody,
  response: {
    ...changedReplies('The updated service, with the receipt of the change.', 'ChangedService'),
    ...problemReplies(ServiceNotFound, ServiceInUse, InvalidFields, NodesOutdated)
  }
}

export const changeService: Handler<typeof changeSchema> = async (request, response) => {
  const { server, params, body, query } = request
  const change = { ...toServiceChange(body), force: query.force ?? false }
  return await sendChanged(response, await server.serviceRegistry.change(params.name, change, contextOf(request)))
}

export const removeSchema = {
  operationId: 'deleteService',
  summary: 'Delete a service',
  description:
    'Deletes a service and its scopes. Keys that have any of them lose them, in the same transaction; this requires ' +
    '`force=true`. A key that loses its last scope can do nothing. A new service with the same name does not give ' +
    'them back.',
  tags: ['Services'],
  params: NameParams,
  querystring: ForceQuery,
  response: {
    ...changedReplies('The deleted service, with the receipt of the change.', 'ChangedService'),
    ...problemReplies(ServiceNotFound, ServiceInUse, InvalidFields, NodesOutdated)
  }
}

export const removeService: Handler<typeof removeSchema> = async (request, response) => {
  const { server, params, query } = request
  const options = { force: query.force ?? false }
  return await sendChanged(response, await server.serviceRegistry.remove(params.name, options, contextOf(request)))
}
