import { contextOf } from '../../../domain/access/principal.ts'
import { toNewOwner, TransferQuery } from '../../../domain/apps/owner.ts'
import {
  DescriptiveNameTaken,
  Forbidden,
  InvalidFields,
  OrganizationNotFound,
  OwnerNotFound,
  OwnsApps,
  TooManyApps
} from '../../../domain/errors.ts'
import { noContent, problemReplies } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { IdParams } from './fields.ts'

export const removeSchema = {
  operationId: 'deleteOrganization',
  summary: 'Delete an organization',
  description: 'For its admins. One that owns apps is deleted only where `transfer_to` names another owner for them.',
  tags: ['Organizations'],
  params: IdParams,
  querystring: TransferQuery,
  response: {
    204: noContent('The organization is deleted.'),
    ...problemReplies(
      OrganizationNotFound,
      Forbidden,
      OwnsApps,
      TooManyApps,
      DescriptiveNameTaken,
      OwnerNotFound,
      InvalidFields
    )
  }
}

export const removeOrganization: Handler<typeof removeSchema> = async (request, response) => {
  const { server, params, query } = request
  await server.organizations.remove(params.id, toNewOwner(query), contextOf(request))
  return await response.code(204).send(null)
}
