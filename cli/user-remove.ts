import { OwnsApps } from '../domain/errors.ts'
import { checked } from '../http/validation.ts'
import type { RemovedUser } from '../domain/users/removal.ts'
import { toUserJson } from '../http/representations/users.ts'
import { command, DONE, jsonOption } from './command.ts'
import { CommandError, UsageError } from './failures.ts'
import { toAppsDisposal, AppsDisposalQuery } from '../http/representations/apps-disposal.ts'
import { USER_ARGUMENT, userIdOf, userText, withUsers } from './users.ts'

const asCommandError = (failure: unknown): unknown =>
  failure instanceof OwnsApps
    ? new CommandError(
        'The user owns apps, deleted ones included; nothing was changed.',
        'Transfer them with --transfer-to User:<id> or Organization:<id>, or delete them with --delete-apps.'
      )
    : failure

const removedJson = ({ user, ...apps }: RemovedUser, transferTo: string | undefined): object => ({
  ...toUserJson(user),
  ...apps,
  transferred_to: transferTo ?? null
})

const appsText = ({ apps, deleted_apps: deleted }: RemovedUser, transferTo: string | undefined): string => {
  const all = apps + deleted
  if (all === 0) return ''
  const done = transferTo === undefined ? 'deleted with the user' : `transferred to ${transferTo}`
  return ` Apps ${done}: ${all}, ${deleted} of them deleted before.`
}

export default command({
  description: `Removes a user with their sessions, memberships and grants, permanently. A user who owns apps, deleted
ones included, is removed only with --transfer-to or --delete-apps. The last administrator of an organization stays.`,

  options: {
    'transfer-to': { value: '<owner>', help: 'who gets the apps: User:<id> or Organization:<id>' },
    'delete-apps': { help: 'deletes the apps too, permanently, with their tags and grants' },
    ...jsonOption('the user who was removed and how many apps they had, as one JSON object')
  },
  argument: USER_ARGUMENT,

  run: async ({ 'transfer-to': transferTo, 'delete-apps': deleteApps = false, json = false }, terminal, argument) => {
    if (transferTo !== undefined && deleteApps) {
      throw new UsageError('The apps are either transferred or deleted: name --transfer-to or --delete-apps.')
    }
    const query = checked(AppsDisposalQuery, {
      ...(transferTo === undefined ? {} : { transfer_to: transferTo }),
      ...(deleteApps ? { apps: 'delete' } : {})
    })
    const removed = await withUsers(
      terminal,
      async (users, context) => await users.remove(await userIdOf(users, argument), toAppsDisposal(query), context)
    ).catch((failure: unknown) => {
      throw asCommandError(failure)
    })
    if (json) terminal.printJson(removedJson(removed, transferTo))
    else terminal.print(`The user ${userText(removed.user)} is removed.${appsText(removed, transferTo)}`)
    return DONE
  }
})
