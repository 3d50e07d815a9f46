import type { UserOverview } from '../domain/users/overview.ts'
import { toUserJson } from '../http/representations/users.ts'
import { command, DONE, jsonOption } from './command.ts'
import { formatTimestamp } from './key-rows.ts'
import { USER_ARGUMENT, readUsers, userIdOf } from './users.ts'

/** The maximum number of apps that the table shows. */
const MAX_SHOWN = 10

export default command({
  description: `Shows a user's fields and organizations, the apps they own, and the number of active sessions.`,

  options: jsonOption('print one JSON object, with the names of the first 1000 apps'),
  argument: USER_ARGUMENT,

  run: async ({ json = false }, terminal, argument) => {
    const found = await readUsers(terminal, async users => await users.overview(await userIdOf(users, argument)))
    if (json) terminal.printJson(toJson(found))
    else terminal.printTable(rowsOf(found))
    return DONE
  }
})

const toJson = ({ user, hasPassword, sessions, organizations, apps, deletedApps, grants }: UserOverview): object => ({
  ...toUserJson(user),
  has_password: hasPassword,
  sessions,
  organizations,
  apps,
  deleted_apps: deletedApps,
  grants
})

const rowsOf = ({
  user,
  hasPassword,
  sessions,
  organizations,
  apps,
  deletedApps,
  grants
}: UserOverview): string[][] => [
  ['id', String(user.id)],
  ['name', user.name],
  ['email', user.email],
  ['role', user.role],
  ['color_theme', user.colorTheme ?? '-'],
  ['created', formatTimestamp(user.createdAt)],
  ['locked', user.accountLocked ? 'yes' : 'no'],
  ['password', hasPassword ? 'set' : "none, so the user can't sign in"],
  ['sessions', String(sessions)],
  ['organizations', organizations.map(({ id, name, role }) => `${id} ${name} (${role})`).join(', ') || '-'],
  ['apps', appsText(apps)],
  ['deleted apps', String(deletedApps)],
  ['grants', String(grants)]
]

const appsText = (apps: readonly string[]): string => {
  const more = apps.length - MAX_SHOWN
  return [...apps.slice(0, MAX_SHOWN), ...(more > 0 ? [`and ${more} more`] : [])].join(', ') || '-'
}
