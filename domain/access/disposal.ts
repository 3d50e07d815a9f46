import { missingScope, TransferNotAllowed } from '../errors.ts'
import { covers } from '../keys/policy/scopes.ts'
import { userIdOf } from './principal.ts'
import type { RequestContext } from './principal.ts'
import { newOwnerIn } from '../apps/disposal.ts'
import type { AppsDisposal } from '../apps/disposal.ts'

type Context = Pick<RequestContext, 'principal'>

/** Throws InsufficientScope if a client key may delete the owner of apps, but may not write the apps themselves. */
export const refuseKeyWithoutApps = (disposal: AppsDisposal, { principal }: Context): void => {
  if (disposal !== null && principal?.kind === 'client_key' && !covers(principal.key.scopes, 'apps:write')) {
    throw missingScope('apps:write')
  }
}

/**
 * Throws what `refuseKeyWithoutApps` throws, and TransferNotAllowed if a session would transfer the apps.
 * Administrators manage users, so they could transfer the apps to a user whom they control.
 */
export const refuseDisposalOfUser = (disposal: AppsDisposal, context: Context): void => {
  refuseKeyWithoutApps(disposal, context)
  if (newOwnerIn(disposal) !== null && userIdOf(context) !== null) throw new TransferNotAllowed()
}
