import { toKeyJson } from '../domain/keys/representation.ts'
import { command, DONE } from './command.ts'
import type { Command } from './command.ts'
import { KEY_ARGUMENT, keyOf, withKeys } from './keys.ts'

/** Makes the command that stops a client key, or lets it in again. */
export const switchCommand = (
  name: string,
  { enabled, help, done }: { enabled: boolean; help: string; done: string }
): Command =>
  command({
    help: `npm run ${name} -- <key> [--json]

${help}

  <key>    its id or its name, or - to read a token of it from standard input
  --json   the key as it is now, as one JSON object
  --help   this text`,

    options: { json: { type: 'boolean' } },
    argument: KEY_ARGUMENT,

    run: async ({ json }, terminal, argument) => {
      return await withKeys(terminal, async (keys, author) => {
        const { id } = await keyOf(terminal, keys, argument)
        const key = await keys.change(id, { enabled }, author)
        if (json === true) terminal.printJson(toKeyJson(key))
        else terminal.print(`The client key ${key.name} is ${done}.`)
        return DONE
      })
    }
  })
