import { contextOf } from '../../../domain/access/principal.ts'
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
import { AppsDisposalQuery, toAppsDisposal } from '../../../http/representations/apps-disposal.ts'

export const removeSchema = {
  operationId: 'deleteOrganization',
  summary: 'Delete an organization',
  description:
    'For its admins. An organization that owns apps is deleted only if the request says what becomes of them. ' +
    '`apps=delete` deletes the apps as well; nothing brings them back. `transfer_to` gives them to another owner: ' +
    'an admin gives them to themselves, or to an organization they belong to. A client key needs the scope ' +
    '`apps:write` too for either.',
  tags: ['Organizations'],
  params: IdParams,
  querystring: AppsDisposalQuery,
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
  await server.organizations.remove(params.id, toAppsDisposal(query), contextOf(request))
  return await response.code(204).send(null)
}
