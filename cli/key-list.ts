import type { ClientKeyRecord } from '../keys/client-key.ts'
import { toKeyJson } from '../keys/representation.ts'
import { runCommand } from './command.ts'
import { instantText, printJson, printTable, stateOf, withKeys } from './keys.ts'

const PAGE = 100

await runCommand({
  help: `npm run key:list [-- options]

Lists the client keys that are not revoked: those of the database in the order in which they were made, then those of CLIENT_KEYS.

  --all    revoked keys too
  --json   a JSON array
  --help   this text`,

  options: { all: { type: 'boolean' }, json: { type: 'boolean' } },

  run: async ({ all, json }) => {
    await withKeys(async keys => {
      const found: ClientKeyRecord[] = []
      for (let more = true; more;) {
        const page = await keys.list({ revoked: all === true ? undefined : false }, PAGE, found.at(-1)?.id)
        found.push(...page.keys)
        more = page.more
      }
      if (json === true) {
        printJson(found.map(toKeyJson))
        return
      }
      if (found.length === 0) {
        console.log('There are no client keys. Make one: npm run key:issue -- --name <name>')
        return
      }
      printTable([
        ['ID', 'NAME', 'STATE', 'SCOPES', 'EXPIRES', 'LAST USED'],
        ...found.map(key => [key.id, key.name, stateOf(key), key.scopes.join(' '), instantText(key.expiresAt, 'never'), instantText(key.lastUsedAt, 'never')])
      ])
    })
  }
})
