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
        'The user still owns apps; deleted apps count too. Nothing was changed.',
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
  return ` Apps ${done}: ${all} (previously deleted: ${deleted}).`
}

export default command({
  description: `Permanently removes a user and their sessions, memberships and grants. If the user owns apps, including
deleted ones, --transfer-to or --delete-apps is required. An organization's last administrator can't be removed.`,

  options: {
    'transfer-to': { value: '<owner>', help: 'the new owner of the apps: User:<id> or Organization:<id>' },
    'delete-apps': { help: 'permanently delete the apps, with their tags and grants' },
    ...jsonOption('print the removed user and the number of their apps as one JSON object')
  },
  argument: USER_ARGUMENT,

  run: async ({ 'transfer-to': transferTo, 'delete-apps': deleteApps = false, json = false }, terminal, argument) => {
    if (transferTo !== undefined && deleteApps) {
      throw new UsageError(
        'The apps can be transferred or deleted, but not both. Use either --transfer-to or --delete-apps.'
      )
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
    else terminal.print(`The user ${userText(removed.user)} was removed.${appsText(removed, transferTo)}`)
    return DONE
  }
})
