import { PERMITS } from '../../domain/access/rules.ts'
import type { Owner } from '../../domain/apps/app.ts'
import { creation } from '../../domain/audits/audit.ts'
import type { Origin } from '../../domain/audits/audit.ts'
import type { Sample } from '../sample.ts'
import type { AppendAudit } from './audit-store.ts'
import { newRow, nextPort } from './app-store.ts'
import { attempt } from './failures.ts'
import type { SqliteDatabase } from './database.ts'
import { apps, grants, memberships, organizations, tags, users } from './schema.ts'

/** See `Stores.loadSample`. Ids of users and organizations are given by the database and mapped from the sample's. */
export const loadSample = async (
  db: SqliteDatabase,
  sample: Sample,
  passwordHash: string,
  origin: Origin,
  appendAudit: AppendAudit
): Promise<boolean> =>
  await attempt(() =>
    db.transaction(
      tx => {
        // Its users have a password that everybody knows, so it never comes among real ones.
        if (
          [apps, users, organizations].some(
            table => tx.select({ id: table.id }).from(table).limit(1).get() !== undefined
          )
        ) {
          return false
        }

        const {
          users: people,
          organizations: groups,
          memberships: roles,
          grants: given,
          apps: sampleApps,
          createdAt
        } = sample
        const times = { createdAt, updatedAt: createdAt }
        const ids = { User: new Map<number, number>(), Organization: new Map<number, number>() }
        const idOf = (type: Owner['type'], id: number): number => Number(ids[type].get(id))
        for (const { id, ...person } of people) {
          ids.User.set(
            id,
            Number(
              tx
                .insert(users)
                .values({ ...person, passwordHash, ...times })
                .run().lastInsertRowid
            )
          )
        }
        for (const { id, ...group } of groups) {
          ids.Organization.set(
            id,
            Number(
              tx
                .insert(organizations)
                .values({ ...group, ...times })
                .run().lastInsertRowid
            )
          )
        }
        for (const { organizationId, userId, role } of roles) {
          tx.insert(memberships)
            .values({ organizationId: idOf('Organization', organizationId), userId: idOf('User', userId), role })
            .run()
        }
        for (const { tags: labels, ...app } of sampleApps) {
          const owner: Owner = { type: app.owner.type, id: idOf(app.owner.type, app.owner.id) }
          const appId = Number(
            tx
              .insert(apps)
              .values(newRow({ ...app, owner }, nextPort(tx)))
              .run().lastInsertRowid
          )
          for (const label of labels) {
            tx.insert(tags)
              .values({ appId, ...label })
              .run()
          }
          for (const { userId, permits } of given.filter(grant => grant.app === app.name)) {
            for (const permit of permits) {
              tx.insert(grants)
                .values({ appId, userId: idOf('User', userId), permit: PERMITS[permit] })
                .run()
            }
          }
        }
        appendAudit({
          at: new Date(),
          origin,
          action: 'sample.load',
          subject: { type: 'sample', id: 'sample' },
          changes: creation({ apps: sampleApps.length })
        })
        return true
      },
      { behavior: 'immediate' }
    )
  )
