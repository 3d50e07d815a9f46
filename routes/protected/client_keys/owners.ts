import { contextOf } from '../../../domain/access/principal.ts'
import { BeyondPermissionBoundary, InvalidFields, NodesOutdated } from '../../../domain/errors.ts'
import { refuseCredentials } from '../../../domain/keys/token/shape.ts'
import { DAYS_KEPT } from '../../../domain/keys/usage/recorder.ts'
import { cancellationOf } from '../../../http/cancellation.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import { ownerText, toReason } from '../../../http/representations/key-fields.ts'
import { RevokeOwnerBody, toRevokedOwnerJson } from '../../../http/representations/owners.ts'
import { toOwnerUsageJson } from '../../../http/representations/usage.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { changedReplies, sendKnown } from './changes.ts'
import { days, DEFAULT_DAYS } from './usage.ts'

export const revokeOwnerSchema = {
  operationId: 'revokeClientKeysOfOwner',
  summary: 'Revoke all client keys of an owner',
  description:
    'Revokes all keys of an owner and all their tokens, immediately and permanently, in one transaction with one ' +
    'receipt. If one of the keys exceeds the permission boundary of the requester, none is revoked. Repeating the ' +
    'request revokes the keys that the owner got in the meantime. Keys that were already revoked keep their reason.',
  tags: ['Client keys'],
  body: RevokeOwnerBody,
  response: {
    ...changedReplies('The number of revoked keys, with the receipt of the change.', 'RevokedOwner'),
    ...problemReplies(BeyondPermissionBoundary, NodesOutdated, InvalidFields)
  }
}

export const revokeOwner: Handler<typeof revokeOwnerSchema> = async (request, response) => {
  const { server, body } = request
  refuseCredentials({ owner: body.owner })
  const revoked = await server.clientKeys.revokeOwner(body.owner, toReason(body), contextOf(request))
  return await sendKnown(response, revoked, toRevokedOwnerJson(revoked))
}

const UsageQuery = {
  type: 'object',
  required: ['owner'],
  additionalProperties: false,
  properties: { owner: { ...ownerText, description: 'The owner of the keys.', examples: ['customer:4711'] }, days }
} as const

export const ownerUsageSchema = {
  operationId: 'showUsageOfOwner',
  summary: 'Show the usage of all client keys of an owner',
  description:
    'Returns the total usage of the keys that the owner has now, for each day in UTC: the number of accepted ' +
    `requests, also by scope, and the number of refused requests by reason. Usage is kept for ${DAYS_KEPT} days. ` +
    'Includes the use of keys that were revoked or that had another owner at the time.',
  tags: ['Client keys'],
  querystring: UsageQuery,
  response: { 200: reply('The usage of the keys.', 'OwnerUsage'), ...problemReplies(InvalidFields) }
}

export const showOwnerUsage: Handler<typeof ownerUsageSchema> = async ({ server, query }, response) => {
  const { owner, days: number = DEFAULT_DAYS } = query
  await server.keyUsage.settle()
  const usage = await server.clientKeys.usageOfOwner(owner, number, { signal: cancellationOf(response) })
  return toOwnerUsageJson(owner, usage)
}
