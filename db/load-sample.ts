import type { RequestContext } from '../domain/access/principal.ts'
import type { Owner } from '../domain/apps/app.ts'
import { creation } from '../domain/audits/audit.ts'
import { appendAudit } from '../domain/audits/service.ts'
import { NoPortLeft } from '../domain/errors.ts'
import type { Transactor, Tx } from '../domain/transactor.ts'
import type { Sample } from './sample.ts'

/** The ids that the database assigned to users and organizations, by their ids in the sample. */
type Ids = Readonly<Record<Owner['type'], ReadonlyMap<number, number>>>

export interface SampleOptions {
  readonly sample: Sample
  /** Returns the password hash of the user with the given e-mail address. */
  readonly hashOf: (email: string) => string
  readonly context: RequestContext
}

/**
 * Loads the sample in one transaction. Returns false and stores nothing if the database already contains apps, users or
 * organizations. The database must have been opened with `asSample`.
 */
export const loadSample = async (
  { write }: Pick<Transactor, 'write'>,
  { sample, hashOf, context }: SampleOptions
): Promise<boolean> =>
  await write(async tx => {
    if (!(await isEmpty(tx))) return false
    const ids = {
      User: await insertUsers(tx, sample, hashOf),
      Organization: await insertOrganizations(tx, sample)
    }
    await insertMemberships(tx, sample, ids)
    for (const app of sample.apps) await insertApp(tx, app, sample, ids)
    await appendAudit(tx.audits, {
      at: tx.now(),
      source: context,
      action: 'sample.load',
      subject: { type: 'sample', id: 'sample' },
      changes: creation({ apps: sample.apps.length })
    })
    return true
  })

const isEmpty = async ({ apps, users, organizations }: Tx): Promise<boolean> =>
  (await apps.isEmpty()) && (await users.isEmpty()) && (await organizations.isEmpty())

const insertUsers = async (
  tx: Tx,
  { users, createdAt }: Sample,
  hashOf: SampleOptions['hashOf']
): Promise<Map<number, number>> => {
  const ids = new Map<number, number>()
  for (const { id, role = 'member', ...user } of users) {
    ids.set(id, (await tx.users.insert({ ...user, role, passwordHash: hashOf(user.email), createdAt })).id)
  }
  return ids
}

const insertOrganizations = async (tx: Tx, { organizations, createdAt }: Sample): Promise<Map<number, number>> => {
  const ids = new Map<number, number>()
  for (const { id, ...organization } of organizations) {
    ids.set(id, (await tx.organizations.insert(organization, createdAt)).id)
  }
  return ids
}

const insertMemberships = async (tx: Tx, { memberships }: Sample, ids: Ids): Promise<void> => {
  for (const { organizationId, userId, role } of memberships) {
    await tx.organizations.setRole(idOf(ids, 'Organization', organizationId), idOf(ids, 'User', userId), role)
  }
}

const insertApp = async (
  tx: Tx,
  { tags, ...app }: Sample['apps'][number],
  { grants }: Sample,
  ids: Ids
): Promise<void> => {
  const port = await tx.apps.takePort()
  if (port === null) throw new NoPortLeft()
  const owner = { type: app.owner.type, id: idOf(ids, app.owner.type, app.owner.id) }
  const { id } = await tx.apps.insert({ ...app, owner }, port)
  for (const tag of tags) await tx.apps.insertTag(id, tag)
  for (const { userId, permits } of grants.filter(grant => grant.app === app.name)) {
    for (const permit of permits) await tx.apps.grant(id, idOf(ids, 'User', userId), permit)
  }
}

const idOf = (ids: Ids, type: Owner['type'], id: number): number => Number(ids[type].get(id))
