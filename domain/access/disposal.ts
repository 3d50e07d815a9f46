import { missingScope, TransferNotAllowed } from '../errors.ts'
import { covers } from '../keys/policy/scopes.ts'
import { userIdOf } from './principal.ts'
import type { RequestContext } from './principal.ts'
import { newOwnerIn } from '../apps/disposal.ts'
import type { AppsDisposal } from '../apps/disposal.ts'

type Context = Pick<RequestContext, 'principal'>

/**
 * Throws InsufficientScope if a client key requests to transfer or delete an owner's apps, but lacks the scope
 * `apps:write`.
 */
export const refuseKeyWithoutApps = (disposal: AppsDisposal, { principal }: Context): void => {
  if (disposal !== null && principal?.kind === 'client_key' && !covers(principal.key.scopes, 'apps:write')) {
    throw missingScope('apps:write')
  }
}

/**
 * Throws TransferNotAllowed if a request with a session would transfer the apps. Otherwise, an administrator could
 * delete a user and transfer their apps to an account of their own. May also throw any error of `refuseKeyWithoutApps`.
 */
export const refuseDisposalOfUser = (disposal: AppsDisposal, context: Context): void => {
  refuseKeyWithoutApps(disposal, context)
  if (newOwnerIn(disposal) !== null && userIdOf(context) !== null) throw new TransferNotAllowed()
}
