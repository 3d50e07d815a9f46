import { toKeyJson } from '../keys/representation.ts'
import { runCommand } from './command.ts'
import { KEY_ARGUMENT, keyOf, printJson, withKeys } from './keys.ts'

await runCommand({
  help: `npm run key:enable -- <key> [--json]

Lets a client key in again that key:disable stopped.

  <key>    its id or its name, or - to read a token of it from standard input
  --json   the key as it is now, as one JSON object
  --help   this text`,

  options: { json: { type: 'boolean' } },
  argument: KEY_ARGUMENT,

  run: async ({ json }, argument) => {
    await withKeys(async (keys, author) => {
      const { id } = await keyOf(keys, argument)
      const key = await keys.change(id, { enabled: true }, author)
      if (json === true) printJson(toKeyJson(key))
      else console.log(`The client key ${key.name} is enabled.`)
    })
  }
})
