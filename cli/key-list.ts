import type { ClientKeyRecord } from '../domain/keys/client-key.ts'
import { expiringKeys } from '../domain/keys/lifecycle/expiry.ts'
import type { KeyService } from '../domain/keys/service.ts'
import type { ClientKeyFilter } from '../domain/keys/rows.ts'
import { command, DONE, jsonOption, REFUSED } from './command.ts'
import { filterOptions, keyFilter } from './key-filter.ts'
import { formatTimestamp, stateOf } from './key-rows.ts'
import { keyJson, readKeys } from './keys.ts'

const PAGE = 100

const listed = async (keys: KeyService, filter: ClientKeyFilter): Promise<ClientKeyRecord[]> => {
  const found: ClientKeyRecord[] = []
  for (let more = true; more;) {
    const page = await keys.list(filter, { limit: PAGE, after: found.at(-1)?.id })
    found.push(...page.keys)
    more = page.more
  }
  return found
}

const expiring = async (keys: KeyService, until: Date, filter: ClientKeyFilter): Promise<ClientKeyRecord[]> => {
  const found: ClientKeyRecord[] = []
  for await (const key of expiringKeys(keys, new Date(), until, filter)) found.push(key)
  return found
}

export default command({
  description: `Lists the client keys that are not revoked: first the managed keys in the order in which they were
issued, then the environment keys.`,

  options: { ...filterOptions, ...jsonOption('print a JSON array') },

  run: async ({ json = false, ...values }, terminal) => {
    const { filter, until } = keyFilter(values)
    return await readKeys(terminal, async keys => {
      const found = until === null ? await listed(keys, filter) : await expiring(keys, until, filter)
      if (json) terminal.printJson(found.map(key => keyJson(keys, key)))
      else if (found.length > 0) terminal.printTable(rowsOf(found))
      else if (Object.keys(values).some(option => option !== 'all')) terminal.print('No client key matches.')
      else terminal.print(`There are no client keys. Issue one: ${terminal.invocation('key issue', '--name <name>')}`)
      return until !== null && found.length > 0 ? REFUSED : DONE
    })
  }
})

const rowsOf = (keys: readonly ClientKeyRecord[]): string[][] => [
  ['ID', 'NAME', 'STATE', 'SCOPES', 'EXPIRES', 'LAST USED'],
  ...keys.map(key => [
    key.id,
    key.name,
    stateOf(key),
    key.scopes.join(' ') || 'none',
    formatTimestamp(key.expiresAt, 'never'),
    formatTimestamp(key.lastUsedAt, 'never')
  ])
]
