import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { PERMITS, permitsIn } from '../domain/access/rules.ts'
import type { UserGrant, UserReads } from '../domain/users/rows.ts'

/** The sum of all permits. Owners and admins have all of them without grants. */
const ALL = Object.values(PERMITS).reduce((sum, permit) => sum + permit, 0)

const all = sql.raw(String(ALL))

/** A row of `selectPermittedApps`. PostgreSQL returns numbers as strings. */
export interface PermittedAppRow {
  readonly id: number | string
  readonly name: string
  readonly permits: number | string
}

/** Returns the statement for `UserReads.permittedApps` on both engines. Each part of the union uses its own index. */
export const selectPermittedApps = (...[userId, { limit, after = 0 }]: Parameters<UserReads['permittedApps']>): SQL => {
  const isListed = sql`apps.id > ${after} and apps.discarded_at is null`
  return sql`
    select apps.id, apps.name, permitted.permits
    from (
      select id, sum(permit) as permits
      from (
        select apps.id, ${all} as permit from apps where apps.user_id = ${userId} and ${isListed}
        union all
        select apps.id, ${all} from memberships join apps on apps.organization_id = memberships.organization_id
        where memberships.user_id = ${userId} and memberships.role = 'admin' and ${isListed}
        union all
        select apps.id, grants.permit from grants join apps on apps.id = grants.app_id
        where grants.user_id = ${userId} and grants.app_id > ${after} and ${isListed}
      ) as reasons
      group by id order by id limit ${limit}
    ) as permitted
    join apps on apps.id = permitted.id
    order by apps.id`
}

// The sum exceeds ALL if an owner or admin also has grants.
export const toPermittedApp = ({ id, name, permits }: PermittedAppRow): UserGrant => ({
  appId: Number(id),
  appName: name,
  permits: permitsIn(Math.min(Number(permits), ALL))
})
