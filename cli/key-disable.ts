import { toKeyJson } from '../keys/representation.ts'
import { runCommand } from './command.ts'
import { KEY_ARGUMENT, keyOf, printJson, withKeys } from './keys.ts'

await runCommand({
  help: `npm run key:disable -- <key> [--json]

Stops a client key from its next request on, until key:enable lets it in again.

  <key>    its id or its name, or - to read a token of it from standard input
  --json   the key as it is now, as one JSON object
  --help   this text`,

  options: { json: { type: 'boolean' } },
  argument: KEY_ARGUMENT,

  run: async ({ json }, argument) => {
    await withKeys(async (keys, author) => {
      const { id } = await keyOf(keys, argument)
      const key = await keys.change(id, { enabled: false }, author)
      if (json === true) printJson(toKeyJson(key))
      else console.log(`The client key ${key.name} is stopped; key:enable lets it in again.`)
    })
  }
})
