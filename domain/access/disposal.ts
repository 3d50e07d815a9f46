import { missingScope, TransferNotAllowed } from '../errors.ts'
import { covers } from '../keys/policy/scopes.ts'
import { userIdOf } from './principal.ts'
import type { RequestContext } from './principal.ts'
import { newOwnerIn } from '../apps/disposal.ts'
import type { AppsDisposal } from '../apps/disposal.ts'

type Context = Pick<RequestContext, 'principal'>

/** Throws InsufficientScope if a client key, which may remove an owner of apps, may do nothing with the apps. */
export const refuseKeyWithoutApps = (disposal: AppsDisposal, { principal }: Context): void => {
  if (disposal !== null && principal?.kind === 'client_key' && !covers(principal.key.scopes, 'apps:write')) {
    throw missingScope('apps:write')
  }
}

/**
 * Throws what `refuseKeyWithoutApps` throws, and TransferNotAllowed for a session: administrators manage users, and
 * whoever received the apps of a user could be a user of theirs.
 */
export const refuseDisposalOfUser = (disposal: AppsDisposal, context: Context): void => {
  refuseKeyWithoutApps(disposal, context)
  if (newOwnerIn(disposal) !== null && userIdOf(context) !== null) throw new TransferNotAllowed()
}
