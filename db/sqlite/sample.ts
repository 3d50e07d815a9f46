import type { Owner } from '../../apps/app.ts'
import { creation } from '../../audits/audit.ts'
import type { Origin } from '../../audits/audit.ts'
import type { Sample } from '../sample.ts'
import type { AppendAudit } from './audit-store.ts'
import { newRow } from './app-store.ts'
import { attempt } from './failures.ts'
import type { SqliteDatabase } from './database.ts'
import { apps, organizations, tags, users } from './schema.ts'

/** See `Stores.loadSample`. Ids of users and organizations are given by the database and mapped from the sample's. */
export const loadSample = async (
  db: SqliteDatabase, { users: people, organizations: groups, apps: sampleApps, createdAt }: Sample, origin: Origin, appendAudit: AppendAudit
): Promise<boolean> =>
  await attempt(() => db.transaction(tx => {
    if (tx.select({ id: apps.id }).from(apps).limit(1).get() !== undefined) return false

    const times = { createdAt, updatedAt: createdAt }
    const ids: Record<Owner['type'], Record<number, number>> = { User: {}, Organization: {} }
    for (const { id, ...person } of people) {
      ids.User[id] = Number(tx.insert(users).values({ ...person, ...times }).run().lastInsertRowid)
    }
    for (const { id, ...group } of groups) {
      ids.Organization[id] = Number(tx.insert(organizations).values({ ...group, ...times }).run().lastInsertRowid)
    }
    for (const { tags: labels, ...app } of sampleApps) {
      const owner: Owner = { type: app.owner.type, id: ids[app.owner.type][app.owner.id] }
      const appId = Number(tx.insert(apps).values(newRow({ ...app, owner })).run().lastInsertRowid)
      for (const label of labels) tx.insert(tags).values({ appId, ...label }).run()
    }
    appendAudit({ at: new Date(), origin, action: 'sample.load', subject: { type: 'sample', id: 'sample' }, changes: creation({ apps: sampleApps.length }) })
    return true
  }, { behavior: 'immediate' }))
