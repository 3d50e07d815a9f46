import type { ClientKeyRecord } from '../domain/keys/client-key.ts'
import { expiringKeys } from '../domain/keys/expiry.ts'
import type { KeyRegistry } from '../domain/keys/registry.ts'
import type { ClientKeyFilter } from '../domain/keys/store.ts'
import { command, DONE, REFUSED } from './command.ts'
import { FILTER_HELP, filterOptions, keyFilter } from './key-filter.ts'
import { instantText, stateOf } from './key-rows.ts'
import { keyJson, withKeys } from './keys.ts'

const PAGE = 100

const listed = async (keys: KeyRegistry, filter: ClientKeyFilter): Promise<ClientKeyRecord[]> => {
  const found: ClientKeyRecord[] = []
  for (let more = true; more;) {
    const page = await keys.list(filter, PAGE, found.at(-1)?.id)
    found.push(...page.keys)
    more = page.more
  }
  return found
}

const expiring = async (keys: KeyRegistry, until: Date, filter: ClientKeyFilter): Promise<ClientKeyRecord[]> => {
  const found: ClientKeyRecord[] = []
  for await (const key of expiringKeys(keys, new Date(), until, filter)) found.push(key)
  return found
}

export default command({
  help: `npm run key:list [-- options]

Lists the client keys that are not revoked: those of the database in the order in which they were made, then those of CLIENT_KEYS.

${FILTER_HELP}
  --json                    a JSON array
  --help                    this text`,

  options: { ...filterOptions, json: { type: 'boolean' } },

  run: async ({ json, ...values }, terminal) => {
    const { filter, until } = keyFilter(values)
    return await withKeys(terminal, async keys => {
      const found = until === null ? await listed(keys, filter) : await expiring(keys, until, filter)
      const verdict = until !== null && found.length > 0 ? REFUSED : DONE
      if (json === true) {
        terminal.printJson(found.map(key => keyJson(keys, key)))
        return verdict
      }
      if (found.length === 0) {
        terminal.print(
          Object.keys(values).some(option => option !== 'all')
            ? 'No client key matches.'
            : 'There are no client keys. Make one: npm run key:issue -- --name <name>'
        )
        return verdict
      }
      terminal.printTable([
        ['ID', 'NAME', 'STATE', 'SCOPES', 'EXPIRES', 'LAST USED'],
        ...found.map(key => [
          key.id,
          key.name,
          stateOf(key),
          key.scopes.join(' '),
          instantText(key.expiresAt, 'never'),
          instantText(key.lastUsedAt, 'never')
        ])
      ])
      return verdict
    })
  }
})
