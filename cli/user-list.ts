import type { UserFilter } from '../domain/users/rows.ts'
import type { UserService } from '../domain/users/service.ts'
import type { User } from '../domain/users/user.ts'
import { toUserJson, userFields } from '../http/representations/users.ts'
import { command, DONE, jsonOption } from './command.ts'
import { formatTimestamp } from './key-rows.ts'
import { BOOLEANS, toBoolean } from './option-values.ts'
import { readUsers } from './users.ts'

const PAGE = 1000

const listed = async (users: UserService, filter: UserFilter): Promise<User[]> => {
  const found: User[] = []
  for (let more = true; more;) {
    const page = await users.page({ limit: PAGE, after: found.at(-1)?.id ?? 0 }, filter)
    found.push(...page.users)
    more = page.more
  }
  return found
}

export default command({
  description: 'Lists the users in the order in which they were created.',

  options: {
    name: { value: '<text>', help: 'only users whose name begins with this text' },
    email: { value: '<text>', help: 'only users whose e-mail address begins with this text' },
    role: { value: '<role>', choices: userFields.role.enum, help: 'only users with this role' },
    locked: { value: '<boolean>', choices: BOOLEANS, help: 'only users who are locked (true) or not (false)' },
    ...jsonOption('print a JSON array')
  },

  run: async ({ name, email, role, locked, json = false }, terminal) => {
    const filter = {
      namePrefix: name,
      emailPrefix: email?.toLowerCase(),
      role,
      accountLocked: toBoolean(locked)
    }
    const found = await readUsers(terminal, async users => await listed(users, filter))
    if (json) terminal.printJson(found.map(toUserJson))
    else if (found.length > 0) terminal.printTable(rowsOf(found))
    else terminal.print('No user matches.')
    return DONE
  }
})

const rowsOf = (users: readonly User[]): string[][] => [
  ['ID', 'NAME', 'EMAIL', 'ROLE', 'LOCKED', 'CREATED'],
  ...users.map(({ id, name, email, role, accountLocked, createdAt }) => [
    String(id),
    name,
    email,
    role,
    accountLocked ? 'yes' : 'no',
    formatTimestamp(createdAt)
  ])
]
