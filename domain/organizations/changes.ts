import { userIdOf } from '../access/principal.ts'
import type { RequestContext } from '../access/principal.ts'
import { refuseKeyWithoutApps } from '../access/disposal.ts'
import { disposeOfApps, newOwnerIn } from '../apps/disposal.ts'
import { refuseOwner } from '../apps/ownership.ts'
import { creation, differences } from '../audits/audit.ts'
import { InvalidToken } from '../errors.ts'
import type { Transactor, Tx } from '../transactor.ts'
import { findAuthorized } from './access.ts'
import { auditedOrganization, auditOrganization } from './audit.ts'
import type { Organization } from './organization.ts'
import type { AppsDisposal } from '../apps/disposal.ts'

type Fields = Omit<Organization, 'id'>

/** The functions that create, change and delete organizations: see `OrganizationService`. */
export interface OrganizationChanges {
  /**
   * Creates an organization. The requesting user becomes its admin. Throws InvalidToken if that user no longer exists.
   */
  readonly create: (fields: Fields, context: RequestContext) => Promise<Organization>
  readonly update: (id: number, change: Partial<Fields>, context: RequestContext) => Promise<Organization>
  /** Deletes an organization. Throws any error of `refuseKeyWithoutApps`, `refuseOwner` or `disposeOfApps`. */
  readonly remove: (id: number, apps: AppsDisposal, context: RequestContext) => Promise<void>
}

/** Creates the functions that create, change and delete organizations. */
export const createOrganizationChanges = ({ write }: Pick<Transactor, 'write'>): OrganizationChanges => ({
  create: async (fields, context) => await write(async tx => await createOrganization(tx, fields, context)),

  update: async (id, change, context) => await write(async tx => await updateOrganization(tx, id, change, context)),

  remove: async (id, apps, context) => {
    refuseKeyWithoutApps(apps, context)
    await write(async tx => {
      await removeOrganization(tx, id, apps, context)
    })
  }
})

const createOrganization = async (tx: Tx, fields: Fields, context: RequestContext): Promise<Organization> => {
  const userId = userIdOf(context)
  if (userId !== null && (await tx.users.find(userId)) === null) throw new InvalidToken()
  const at = tx.now()
  const created = await tx.organizations.insert(fields, at)
  if (userId !== null) await tx.organizations.setRole(created.id, userId, 'admin')
  const changes = creation({ ...auditedOrganization(created), ...(userId === null ? {} : { admin_id: userId }) })
  await auditOrganization(tx, 'create', created.id, { at, context, changes })
  return created
}

const updateOrganization = async (
  tx: Tx,
  id: number,
  change: Partial<Fields>,
  context: RequestContext
): Promise<Organization> => {
  const before = await findAuthorized(tx.organizations, id, context)
  const after = { ...before, ...change }
  const changes = differences(auditedOrganization(before), auditedOrganization(after))
  if (Object.keys(changes).length === 0) return before
  const at = tx.now()
  await tx.organizations.update(id, change, at)
  await auditOrganization(tx, 'update', id, { at, context, changes })
  return after
}

const removeOrganization = async (tx: Tx, id: number, apps: AppsDisposal, context: RequestContext): Promise<void> => {
  await findAuthorized(tx.organizations, id, context)
  const to = newOwnerIn(apps)
  if (to !== null) await refuseOwner(tx, to, 'receive', context)
  const at = tx.now()
  const disposed = await disposeOfApps(tx, { type: 'Organization', id }, apps, { at, context })
  const users = await tx.organizations.countMembers(id)
  await tx.organizations.remove(id)
  const changes = differences({ ...disposed, users }, { apps: 0, deleted_apps: 0, users: 0 })
  await auditOrganization(tx, 'delete', id, { at, context, changes })
}
